#!/usr/bin/env python3
"""Writes op_cases.txt: what real TensorFlow gives for small inputs of each op that Varflow has.

    pip install tensorflow-cpu==2.21.0
    python make_op_cases.py op_cases.txt

Each case is some lines:
    op NAME
    attr NAME = VALUE            in the form of op signatures: 3, 0.5, true, 'SAME', float, [1, 2]
    list                         the inputs up to "end" belong to one argument that takes a list
    in DTYPE SHAPE VALUES
    end
    out DTYPE SHAPE VALUES       one line an output
    near N                       floats may be N units in the last place of the greatest value apart (default 4)
Numbers are printed so that they read back exactly; bool is 0 or 1. A blank line ends a case.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_library, op_def_registry

RANDOM = np.random.RandomState(20)
CASES = []


def case(op, *inputs, near=4, **attrs):
    """An input is an array, or a list of arrays for an argument that takes a list."""
    CASES.append((op, inputs, attrs, near))


def floats(*shape, low=-1.0, high=1.0, dtype=np.float32):
    return RANDOM.uniform(low, high, shape).astype(dtype)


def f(*values):
    return np.array(values, np.float32)


def i(*values):
    return np.array(values, np.int32)


def scalar(value, dtype=np.float32):
    return np.array(value, dtype)


def b(*values):
    return np.array(values, np.bool_)


def elementwise():
    for op in 'Neg Abs Sign Square Floor Ceil Rint Round Tanh Sigmoid Exp Expm1 Sin Cos Tan Atan Sinh Cosh Asinh Erf'.split():
        case(op, np.concatenate([floats(5, low=-3, high=3), f(0.0, -0.0, 0.5, 1.5, 2.5, -0.5)]))
        case(op, floats(4, low=-3, high=3, dtype=np.float64))
        case(op, floats(4, low=-3, high=3, dtype=np.float16), near=2)
    case('Erfc', floats(5, low=-3, high=3), near=8)
    for op in 'Neg Abs Sign Square'.split():  # Round gives 0 for any int32: Python never calls it
        case(op, i(-7, 0, 3, 2147483647))
    for op in 'Sqrt Rsqrt Log Reciprocal Inv'.split():
        case(op, np.concatenate([floats(5, low=0.1, high=9), f(0.0, np.inf)]))
        case(op, floats(4, low=0.1, high=9, dtype=np.float64))
    case('Log1p', floats(6, low=-0.9, high=3))
    case('Asin', floats(6))
    case('Acos', floats(6))
    case('Atanh', floats(6))
    case('Acosh', floats(6, low=1, high=5))
    for op in 'Softplus Softsign Elu Selu Relu'.split():
        case(op, np.concatenate([floats(5, low=-3, high=3), f(0.0)]), near=8)
    case('Relu', i(-3, 0, 4))
    case('Relu6', f(-1, 0, 3, 6, 7))
    case('LeakyRelu', f(-1, 0, 3), alpha=0.25)
    for op in 'SigmoidGrad TanhGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad'.split():
        case(op, floats(6, low=0.2, high=0.9), floats(6), near=8)
    for op in 'SoftplusGrad SoftsignGrad ReluGrad Relu6Grad EluGrad SeluGrad'.split():
        case(op, floats(6), np.concatenate([floats(4, low=-2, high=7), f(0.0, 6.0)]), near=8)
    case('LeakyReluGrad', f(1, 2, 3), f(-1, 0, 3), alpha=0.25)
    case('Invert', i(0, -1, 5))
    for op in 'IsNan IsInf IsFinite'.split():
        case(op, f(1, np.inf, -np.inf, np.nan))
    case('LogicalNot', b(True, False))


def binary():
    x, y = floats(2, 3, low=-3, high=3), floats(3, low=-3, high=3)
    for op in ('Add AddV2 Sub Mul RealDiv Div FloorDiv FloorMod Mod TruncateMod DivNoNan MulNoNan Maximum Minimum '
               'SquaredDifference Atan2').split():
        case(op, x, y)
        case(op, floats(2, 1, dtype=np.float64), floats(1, 3, dtype=np.float64))
    for op in 'Add AddV2 Sub Mul RealDiv Div FloorDiv FloorMod Mod TruncateMod TruncateDiv Maximum Minimum SquaredDifference'.split():
        case(op, i(7, -7, 7, -7, 0), i(2, 2, -2, -2, 5))
    case('DivNoNan', f(1, -1, 0), f(0, 0, 0))
    case('MulNoNan', f(np.inf, np.nan, 2), f(0, 0, 3))
    case('Xdivy', f(0, 1, 2), f(0, 2, 0))
    case('Xlogy', f(0, 1, 2), f(0, 2, 3))
    case('Pow', floats(2, 3, low=0.2, high=3), y)
    case('Pow', i(2, -3, 0), i(10, 3, 0))
    for op in 'Equal NotEqual Less LessEqual Greater GreaterEqual'.split():
        case(op, f(1, 2, 3, np.nan), f(1, 3, 2, np.nan))
        case(op, i(1, 2, 3), scalar(2, np.int32))
    case('Equal', f(1, 2), f(1, 2, 3), incompatible_shape_error=False)
    case('NotEqual', f(1, 2), f(1, 2, 3), incompatible_shape_error=False)
    case('Equal', b(True, False), b(True, True))
    case('ApproximateEqual', f(1, 2, 3), f(1.000001, 2.1, 3.00001), tolerance=0.00005)
    for op in 'LogicalAnd LogicalOr'.split():
        case(op, b(True, True, False, False), b(True, False, True, False))
    for op in 'BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift'.split():
        case(op, i(12, -5, 7), i(10, 3, 1))
    case('AddN', [floats(2, 3)])
    case('AddN', [floats(2, 3) for _ in range(11)])
    case('AccumulateNV2', [floats(3), floats(3)], shape=[3])
    for op in ('Select', 'SelectV2'):
        case(op, b(True, False, True), f(1, 2, 3), f(4, 5, 6))
    case('Select', b(True, False), floats(2, 3), floats(2, 3))
    case('SelectV2', np.array([[True], [False]]), f(1, 2, 3), scalar(9))
    case('ClipByValue', f(-2, 0.5, 3), scalar(-1), scalar(1))
    case('ClipByValue', floats(2, 3, low=-3, high=3), np.full((2, 3), -0.5, np.float32), scalar(1))
    for to in 'int32 int64 uint8 bool half bfloat16 double float'.split():
        case('Cast', f(-2.7, 0, 1.5, 250.9), DstT=to)
    case('Cast', i(-3, 0, 7), DstT='float')
    case('Cast', b(True, False), DstT='float')
    case('Bitcast', f(1, -2), type='int32')
    case('Bitcast', np.array([1.0, -2.0]), type='int32')
    case('Bitcast', i(1, 2).reshape(1, 2), type='int64')


def matrices():
    for ta in (False, True):
        for tb in (False, True):
            a, c = floats(*((4, 3) if ta else (3, 4))), floats(*((5, 4) if tb else (4, 5)))
            case('MatMul', a, c, transpose_a=ta, transpose_b=tb, near=8)
            case('BatchMatMulV2', np.stack([a, a + 1]), c[None, None], adj_x=ta, adj_y=tb, near=8)
    case('MatMul', floats(3, 4, dtype=np.float64), floats(4, 2, dtype=np.float64), near=8)
    case('MatMul', i(1, 2, 3, 4).reshape(2, 2), i(5, 6, 7, 8).reshape(2, 2))
    case('MatMul', floats(2, 0), floats(0, 3))
    case('BatchMatMul', floats(2, 3, 4), floats(2, 4, 2), near=8)
    case('L2Loss', floats(7, 9), near=8)


def reductions():
    x = floats(3, 4, 2)
    for op in 'Sum Mean Prod Max Min'.split():
        case(op, x, i(0, 2), near=8)
        case(op, x, scalar(-2, np.int32), keep_dims=True, near=8)
        case(op, x, np.array([1], np.int64), near=8)
        case(op, x, i(), near=8)
        case(op, i(7, -2, 5), scalar(0, np.int32))
    case('Mean', i(7, -2, 6), scalar(0, np.int32))
    case('Sum', floats(0, 3), scalar(0, np.int32))
    case('Max', floats(0, 3), scalar(0, np.int32))
    for op in 'Any All'.split():
        case(op, np.array([[True, False], [True, True]]), scalar(0, np.int32))
        case(op, np.array([[True, False], [True, True]]), i(0, 1), keep_dims=True)
    for op in 'ArgMax ArgMin'.split():
        case(op, x, scalar(1, np.int32))
        case(op, f(3, 1, 3, 1), scalar(-1, np.int32), output_type='int32')
    for op in 'Cumsum Cumprod'.split():
        for exclusive in (False, True):
            for reverse in (False, True):
                case(op, x, scalar(1, np.int32), exclusive=exclusive, reverse=reverse)
    case('UnsortedSegmentSum', floats(4, 3), i(0, 2, -1, 2), scalar(4, np.int32))
    case('UnsortedSegmentSum', floats(2, 2, 3), np.array([[0, 1], [1, 1]], np.int64), scalar(2, np.int32))


def joins():
    case('Pack', [floats(2, 3), floats(2, 3)])
    case('Pack', [i(1, 2), i(3, 4), i(5, 6)], axis=1)
    case('Pack', [scalar(1), scalar(2)], axis=-1)
    case('Unpack', floats(2, 3), num=2)
    case('Unpack', floats(2, 3), num=3, axis=-1)
    case('ConcatV2', [floats(2, 3), floats(1, 3)], scalar(0, np.int32))
    case('ConcatV2', [floats(2, 3), floats(2, 0), floats(2, 2)], scalar(-1, np.int32))
    case('Concat', scalar(1, np.int32), [floats(2, 3), floats(2, 1)])
    case('ConcatOffset', scalar(1, np.int32), [i(2, 3), i(2, 5), i(2, 1)])
    case('Split', scalar(1, np.int32), floats(2, 6), num_split=3)
    case('SplitV', floats(2, 6), np.array([1, -1, 2], np.int64), scalar(-1, np.int32), num_split=3)
    case('DynamicStitch', [i(0, 3), i(2, 1)], [floats(2, 3), floats(2, 3)])
    case('DynamicStitch', [i(0, 1), i(1)], [i(5, 6), i(7)])
    case('ListDiff', i(1, 2, 3, 4, 5), i(1, 3, 5))
    case('IdentityN', [f(1, 2), i(3)])


def slices():
    x = floats(4, 5, 3)
    case('Slice', x, i(1, 2, 0), i(2, -1, 3))
    spec = lambda begin, end, strides, **masks: case('StridedSlice', x, i(*begin), i(*end), i(*strides), **masks)
    spec([1, 4], [4, 0], [2, -2])
    spec([0, -1], [10, -10], [1, -1])
    spec([-1], [0], [1], shrink_axis_mask=1, end_mask=1)
    spec([1, 0, 2], [2, 0, 3], [1, 1, 1], shrink_axis_mask=5, ellipsis_mask=2)
    spec([0, 0, 1], [0, 0, 2], [1, 1, 1], ellipsis_mask=1, new_axis_mask=2, shrink_axis_mask=4)
    spec([0, 0, 0, 1], [0, 0, 0, 3], [1, 1, 1, 1], new_axis_mask=1, ellipsis_mask=4)
    spec([3, 2], [1, 4], [1, 1])
    spec([5, 2], [1, 4], [-2, 1], begin_mask=1)
    spec([1, 1, 1], [2, 2, 2], [1, 1, 1], begin_mask=2, end_mask=4)
    case('StridedSliceGrad', i(4, 5), i(1, 4), i(4, 0), i(2, -2), floats(2, 2))
    case('StridedSliceGrad', i(4, 5), i(2, 0), i(3, 0), i(1, 1), floats(5), shrink_axis_mask=1, end_mask=2)
    paddings = np.array([[1, 0], [0, 2]], np.int32)
    case('Pad', floats(2, 3), paddings)
    case('PadV2', floats(2, 3), paddings, scalar(7))
    for mode in ('REFLECT', 'SYMMETRIC'):
        case('MirrorPad', floats(2, 3), paddings, mode=mode)
        case('MirrorPadGrad', floats(4, 6), paddings, mode=mode)
    case('Tile', floats(2, 3), i(2, 3))
    case('Tile', floats(2, 3), i(0, 1))
    case('BroadcastTo', floats(3, 1), i(2, 3, 4))
    case('Transpose', x, i(2, 0, 1))
    case('Transpose', floats(3, 4), i(1, 0))
    case('InvertPermutation', i(2, 0, 3, 1))
    case('ReverseV2', x, i(0, -1))


def indices():
    at = np.array([[0, 2], [2, 3]], np.int32)
    case('Gather', floats(4, 3), at)
    case('GatherV2', floats(4, 3), at, scalar(0, np.int32))
    case('GatherV2', floats(2, 4, 3), i(2, 0, 2), scalar(-1, np.int32))
    case('GatherV2', floats(2, 4, 3), np.array(3, np.int64), scalar(1, np.int32))
    case('GatherV2', floats(2, 4, 3), at, scalar(1, np.int32), batch_dims=1)
    case('GatherV2', floats(2, 2, 4), at, scalar(2, np.int32), batch_dims=1)
    case('OneHot', i(0, 2, -1, 5), scalar(3, np.int32), scalar(1), scalar(0))
    case('OneHot', np.array([[0, 2]], np.int64), scalar(3, np.int32), scalar(5), scalar(-1), axis=0)
    case('OneHot', np.array([[0, 2]], np.int64), scalar(3, np.int32), scalar(5), scalar(-1), axis=1)


def shapes():
    case('Shape', floats(2, 3))
    case('Shape', floats(2, 3), out_type='int64')
    case('ShapeN', [floats(2, 3), floats(4, 1)])
    case('Size', floats(2, 3))
    case('Rank', floats(2, 3))
    case('Reshape', floats(2, 6), i(3, -1))
    case('ExpandDims', floats(2, 3), scalar(-1, np.int32))
    case('ExpandDims', floats(2, 3), scalar(1, np.int32))
    case('Squeeze', floats(1, 3, 1))
    case('Squeeze', floats(1, 3, 1), squeeze_dims=[-1])
    case('BroadcastGradientArgs', i(2, 1, 3), i(4, 3))
    case('BroadcastGradientArgs', i(), i(2, 1))
    case('BroadcastGradientArgs', i(2, 3), i(2, 3))
    case('Fill', i(2, 3), scalar(7))
    case('ZerosLike', floats(2, 3))
    case('OnesLike', i(1, 2))
    case('Range', scalar(1, np.int32), scalar(10, np.int32), scalar(3, np.int32))
    case('Range', scalar(1), scalar(0), scalar(-0.3))
    for op in 'Identity StopGradient PreventGradient Snapshot'.split():
        case(op, floats(2, 3))
    case('PlaceholderWithDefault', floats(2, 3), shape=[2, 3])
    case('EnsureShape', floats(2, 3), shape=[None, 3])


def linear_algebra():
    case('DiagPart', floats(3, 3))
    case('DiagPart', floats(2, 3, 2, 3))
    case('Diag', floats(3))
    case('MatrixDiagPart', floats(2, 3, 4))
    case('MatrixDiag', floats(2, 3))
    for shape in ((4, 3), (3, 4), (2, 3, 3)):
        case('Qr', floats(*shape), near=16)
    case('Qr', floats(4, 3, dtype=np.float64), full_matrices=True, near=16)


def networks():
    image, filters = floats(2, 5, 4, 3), floats(3, 3, 3, 2)
    for padding, strides in (('SAME', [1, 1, 1, 1]), ('VALID', [1, 2, 1, 1])):
        case('Conv2D', image, filters, strides=strides, padding=padding, near=16)
    case('Conv2DBackpropInput', i(2, 5, 4, 3), filters, floats(2, 5, 4, 2), strides=[1, 1, 1, 1], padding='SAME', near=16)
    case('Conv2DBackpropFilter', image, i(3, 3, 3, 2), floats(2, 5, 4, 2), strides=[1, 1, 1, 1], padding='SAME', near=16)
    window = dict(ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
    case('MaxPool', image, **window)
    case('AvgPool', image, near=8, **window)
    case('AvgPoolGrad', i(2, 5, 4, 3), floats(2, 3, 2, 3), near=8, **window)
    case('MaxPoolGrad', image, tf.nn.max_pool2d(image, 2, 2, 'SAME').numpy(), floats(2, 3, 2, 3), **window)
    case('BiasAdd', image, floats(3))
    case('BiasAddGrad', image, near=8)
    case('Softmax', floats(3, 5, low=-3, high=3), near=8)
    case('LogSoftmax', floats(3, 5, low=-3, high=3), near=8)
    case('SparseSoftmaxCrossEntropyWithLogits', floats(3, 5), i(4, 0, 2), near=8)
    case('SoftmaxCrossEntropyWithLogits', floats(3, 5), floats(3, 5, low=0), near=8)


def number(value, dtype):
    if dtype == 'bool' or 'int' in dtype:
        return str(int(value))
    return ('%.17g' if dtype == 'float64' else '%.9g') % float(value)


FIELDS = {'int': 'i', 'float': 'f', 'bool': 'b', 'string': 's'}  # of attributes' kinds in AttrValue


def default(attr):
    if attr.type.startswith('list('):
        return list(getattr(attr.default_value.list, FIELDS[attr.type[5:-1]]))
    return getattr(attr.default_value, FIELDS[attr.type])


NAMES = {'float32': 'float', 'float64': 'double', 'float16': 'half'}


def tensor(kind, t):
    t = np.asarray(t)
    dtype = t.dtype.name
    return '%s %s [%s] %s' % (kind, NAMES.get(dtype, dtype), ','.join(map(str, t.shape)),
                              ' '.join(number(v, dtype) for v in t.ravel()))


def attr_text(value, kind):
    if kind == 'type':
        return value
    if kind == 'shape':
        return '[' + ','.join('?' if d is None else str(d) for d in value) + ']'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        return "'" + value + "'"
    return str(value)


def searches():
    case('Where', np.array([[True, False], [False, True], [True, True]]))
    case('Where', f(0, 1, -2, 0, -0.0, np.nan))
    case('Where', np.array([[[0, 3], [0, 0]], [[5, 0], [6, 7]]], np.int64))
    case('Where', np.zeros((2, 3), np.bool_))
    case('Unique', f(3, 1, 3, 2, 1, 0.0, -0.0, np.nan, np.nan))
    case('Unique', i(7, 7, 7))
    case('Unique', i())
    case('Unique', np.array([5, 4, 5], np.int64), out_idx='int64')
    case('UniqueWithCounts', i(1, 2, 1, 1, 3, 2))
    case('UniqueWithCounts', np.array([2, 2, 0.5], np.float16), out_idx='int64')


def main():
    for group in (elementwise, binary, matrices, reductions, joins, slices, indices, shapes, linear_algebra, networks, searches):
        group()
    with open(sys.argv[1], 'w') as out:
        out.write('# Inputs and outputs of TensorFlow %s, by make_op_cases.py, which describes the format.\n\n' % tf.__version__)
        for op, inputs, attrs, near in CASES:
            definition = op_def_registry.get(op)
            kinds = {a.name: a.type for a in definition.attr}
            arguments = {arg.name: value for arg, value in zip(definition.input_arg, inputs)}
            given = {k: getattr(tf, {'float': 'float32', 'double': 'float64', 'half': 'float16'}.get(v, v))
                        if kinds[k] == 'type' else v for k, v in attrs.items()}
            with tf.Graph().as_default():
                constants = {k: [tf.constant(x) for x in v] if isinstance(v, list) else tf.constant(v)
                             for k, v in arguments.items()}
                defaults = {a.name: default(a) for a in definition.attr if a.HasField('default_value') and a.type != 'type'}
                node = op_def_library._apply_op_helper(op, **constants, **{**defaults, **given})[2]
                try:
                    with tf.compat.v1.Session() as session:
                        results = session.run(node.outputs)
                except tf.errors.InvalidArgumentError as error:
                    if 'No OpKernel' not in error.message:
                        raise
                    print('left out: TensorFlow has no kernel for', op, [np.asarray(x).dtype.name for x in inputs])
                    continue
            out.write('op %s\n' % op)
            for name, value in attrs.items():
                out.write('attr %s = %s\n' % (name, attr_text(value, kinds[name])))
            for value in inputs:
                lines = [tensor('in', v) for v in (value if isinstance(value, list) else [value])]
                out.write('\n'.join(['list'] + lines + ['end'] if isinstance(value, list) else lines) + '\n')
            for r in results:
                out.write(tensor('out', r) + '\n')
            if near != 4:
                out.write('near %d\n' % near)
            out.write('\n')


main()
