#!/usr/bin/env python3
"""Writes gradients.txt: small cases of single ops, with real TensorFlow's outputs and gradients.

    pip install tensorflow-cpu==2.21.0
    python make_gradients.py gradients.txt

The file is text; blanks separate words, lines that start with '#' are comments:

  case NAME                          a name of its own for each case
  op OP
  attr NAME: KIND = VALUE            as in op_signatures.txt; attributes with their default values and type attributes that
                                     the inputs give are left out
  input NAME DTYPE SHAPE VALUES      in the order of the signature (of a list, one line an element); SHAPE as [2,3]
  output NAME DTYPE SHAPE VALUES     what TensorFlow gives
  output_gradient NAME DTYPE SHAPE VALUES     dL/d(output NAME); outputs without such a line have none
  gradient NAME DTYPE SHAPE VALUES   dL/d(input NAME), of each input of a floating type
  gradient NAME none                 TensorFlow has none for this input
  no_gradient                        the op has no gradient in TensorFlow
  end

Floats have nine digits (doubles 17), enough to give the value back. Inputs are multiples of 1/64.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_library, op_def_registry

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
random = np.random.RandomState(7)


def real(*shape, low=-2.0, high=2.0, dtype=np.float32):
    """Random multiples of 1/64, none of them zero."""
    values = random.randint(int(low * 64), int(high * 64) + 1, shape)
    return (np.where(values == 0, 1, values) / 64).astype(dtype)


def distinct(*shape):
    """As real(), with no two equal: for what takes a largest value."""
    return ((random.permutation(int(np.prod(shape))) - np.prod(shape) // 3 + 0.5) / 32).astype(np.float32).reshape(shape)


def ints(*values):
    return np.array(values, np.int32)


def scalar(value, dtype=np.int32):
    return np.array(value, dtype)


CASES = []


def case(op, inputs, attrs=None, name='', differentiable=None, outputs=None):
    """`differentiable`: names of the outputs that get a gradient, all floating ones by default; `outputs`: how many count."""
    CASES.append((op + ('_' + name if name else ''), op, inputs, attrs or {}, differentiable, outputs))


def math_cases():
    for op in ('AddV2', 'Sub', 'Mul', 'Maximum', 'Minimum', 'SquaredDifference'):
        case(op, {'x': real(2, 3), 'y': real(2, 3)})
        case(op, {'x': real(2, 1, 3), 'y': real(4, 1)}, name='broadcast')
    case('Add', {'x': real(2, 3), 'y': real(3)})
    case('Mul', {'x': real(2, 3), 'y': scalar(0.5, np.float32)}, name='scalar')
    case('Mul', {'x': real(2, 2, dtype=np.float64), 'y': real(2, dtype=np.float64)}, name='double')
    case('Mul', {'x': ints(1, -2, 3), 'y': ints(4, 5, -6)}, name='int32')
    for op in ('RealDiv', 'Div', 'DivNoNan'):
        case(op, {'x': real(2, 3), 'y': real(3, low=0.5)})
    case('DivNoNan', {'x': real(3), 'y': np.array([1, 0, 2], np.float32)}, name='zero')
    case('FloorDiv', {'x': ints(7, -7, 7), 'y': ints(2, 2, -2)})
    case('FloorMod', {'x': ints(7, -7, 7), 'y': ints(2, 2, -2)})
    case('Pow', {'x': real(2, 3, low=0.25), 'y': real(3)})
    for op in ('Neg', 'Abs', 'Square', 'Exp', 'Sigmoid', 'Tanh', 'Sign', 'Sin', 'Cos', 'Expm1', 'Floor', 'Erf', 'Ceil', 'Round'):
        case(op, {'x': real(2, 5)})
    for op in ('Sqrt', 'Rsqrt', 'Log', 'Log1p', 'Reciprocal'):
        case(op, {'x': real(2, 5, low=0.125, high=4)})
    case('Round', {'x': np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32)}, name='halves')
    for a, b in ((False, False), (True, False), (False, True), (True, True)):
        case('MatMul', {'a': real(*((3, 2) if a else (2, 3))), 'b': real(*((4, 3) if b else (3, 4)))},
             {'transpose_a': a, 'transpose_b': b}, name='%d%d' % (a, b))
    case('BatchMatMulV2', {'x': real(2, 1, 2, 3), 'y': real(3, 3, 2)})
    case('BatchMatMulV2', {'x': real(2, 3, 2), 'y': real(2, 4, 3)}, {'adj_x': True, 'adj_y': True}, name='adjoint')
    for op in ('Sum', 'Mean', 'Prod', 'Max', 'Min'):
        case(op, {'input': distinct(2, 3, 2), 'reduction_indices': ints(0, 2)})
        case(op, {'input': distinct(2, 3), 'reduction_indices': ints(-1)}, {'keep_dims': True}, name='keep_dims')
    case('Max', {'input': np.array([[1, 2, 2], [3, 3, 3]], np.float32), 'reduction_indices': ints(1)}, name='ties')
    case('Sum', {'input': real(2, 3), 'reduction_indices': np.zeros(0, np.int32)}, name='no_axes')
    case('Mean', {'input': ints(1, 2, 4), 'reduction_indices': scalar(0)}, name='int32')
    case('All', {'input': np.array([[True, False], [True, True]]), 'reduction_indices': ints(1)})
    case('Any', {'input': np.array([[False, False], [True, False]]), 'reduction_indices': ints(1)})
    case('ArgMax', {'input': np.array([[1, 3, 3], [2, 0, 1]], np.float32), 'dimension': scalar(1)}, name='first_of_ties')
    case('ArgMin', {'input': distinct(3, 2), 'dimension': scalar(0)})
    for op in ('Less', 'LessEqual', 'Greater', 'GreaterEqual', 'Equal', 'NotEqual'):
        case(op, {'x': np.array([1, 2, 3], np.float32), 'y': np.array([2], np.float32)})
    case('LogicalAnd', {'x': np.array([True, False]), 'y': np.array([True, True])})
    case('LogicalOr', {'x': np.array([True, False]), 'y': np.array([False, False])})
    case('LogicalNot', {'x': np.array([True, False])})
    case('Select', {'condition': np.array([True, False]), 't': real(2, 2), 'e': real(2, 2)}, name='rows')
    case('SelectV2', {'condition': np.array([[True], [False]]), 't': real(2, 3), 'e': real(3)})
    case('AddN', {'inputs': [real(2, 2), real(2, 2), real(2, 2)]})
    case('L2Loss', {'t': real(2, 3)})
    case('Cumsum', {'x': real(2, 4), 'axis': scalar(1)}, {'exclusive': True, 'reverse': True})
    case('Cast', {'x': np.array([-1.75, 2.5, 300.0], np.float32)}, {'DstT': tf.int32}, name='to_int32')
    case('Cast', {'x': real(2, 2)}, {'DstT': tf.float64}, name='to_double')
    case('ClipByValue', {'t': real(2, 4), 'clip_value_min': scalar(-0.7, np.float32), 'clip_value_max': scalar(0.9, np.float32)})


def nn_cases():
    for op in ('Relu', 'Relu6', 'Elu', 'Selu', 'LeakyRelu', 'Softplus', 'Softsign'):
        case(op, {'features': real(2, 5, low=-8, high=8)})
    case('Relu', {'features': np.array([-1, 0, 1], np.float32)}, name='zero')
    case('Softmax', {'logits': real(2, 4)})
    case('LogSoftmax', {'logits': real(2, 4)})
    probabilities = np.array([[0.25, 0.25, 0.5], [0, 1, 0]], np.float32)
    case('SoftmaxCrossEntropyWithLogits', {'features': real(2, 3), 'labels': probabilities}, differentiable=['loss'])
    case('SparseSoftmaxCrossEntropyWithLogits', {'features': real(3, 4), 'labels': ints(0, 3, 1)}, differentiable=['loss'])
    case('BiasAdd', {'value': real(2, 2, 2, 3), 'bias': real(3)})
    case('BiasAdd', {'value': real(2, 3), 'bias': real(3)}, name='matrix')
    image, kernel = (1, 5, 6, 2), (3, 3, 2, 3)
    for name, attrs in (('same', {'padding': 'SAME'}), ('valid', {'padding': 'VALID'}),
                        ('strided', {'padding': 'SAME', 'strides': [1, 2, 2, 1]}),
                        ('strided_valid', {'padding': 'VALID', 'strides': [1, 2, 3, 1]}),
                        ('explicit', {'padding': 'EXPLICIT', 'explicit_paddings': [0, 0, 1, 0, 2, 1, 0, 0]})):
        case('Conv2D', {'input': real(*image), 'filter': real(*kernel)}, dict({'strides': [1, 1, 1, 1]}, **attrs), name=name)
    # TensorFlow has no kernel for the gradient of a dilated convolution on a CPU.
    case('Conv2D', {'input': real(*image), 'filter': real(*kernel)},
         {'strides': [1, 1, 1, 1], 'padding': 'SAME', 'dilations': [1, 2, 2, 1]}, name='dilated', differentiable=[])
    case('Conv2D', {'input': real(1, 4, 4, 2), 'filter': real(1, 1, 2, 3)}, {'strides': [1, 2, 2, 1], 'padding': 'SAME'},
         name='projection')
    case('DepthwiseConv2dNative', {'input': real(1, 4, 5, 2), 'filter': real(3, 3, 2, 2)},
         {'strides': [1, 1, 1, 1], 'padding': 'SAME'})
    case('Conv2DBackpropInput', {'input_sizes': ints(1, 4, 4, 2), 'filter': real(3, 3, 2, 3), 'out_backprop': real(1, 2, 2, 3)},
         {'strides': [1, 2, 2, 1], 'padding': 'SAME'})
    for op in ('MaxPool', 'AvgPool'):
        value = 'input' if op == 'MaxPool' else 'value'
        case(op, {value: distinct(1, 4, 4, 2)}, {'ksize': [1, 2, 2, 1], 'strides': [1, 2, 2, 1], 'padding': 'SAME'})
        case(op, {value: distinct(1, 5, 5, 1)}, {'ksize': [1, 3, 3, 1], 'strides': [1, 2, 2, 1], 'padding': 'SAME'},
             name='overlapping')
        case(op, {value: distinct(1, 5, 5, 1)}, {'ksize': [1, 2, 2, 1], 'strides': [1, 2, 2, 1], 'padding': 'VALID'},
             name='valid')
    case('MaxPool', {'input': np.zeros((1, 2, 2, 1), np.float32)},
         {'ksize': [1, 2, 2, 1], 'strides': [1, 2, 2, 1], 'padding': 'SAME'}, name='ties')
    norm = {'x': real(2, 2, 3, 2), 'scale': real(2), 'offset': real(2), 'mean': real(2), 'variance': real(2, low=0.5)}
    case('FusedBatchNormV3', dict(norm, mean=np.zeros(0, np.float32), variance=np.zeros(0, np.float32)),
         {'epsilon': 0.001}, name='training', differentiable=['y'], outputs=3)
    case('FusedBatchNormV3', norm, {'epsilon': 0.001, 'is_training': False}, name='inference', differentiable=['y'], outputs=3)
    case('LRN', {'input': real(1, 1, 2, 6)}, {'depth_radius': 2})
    case('InTopKV2', {'predictions': real(3, 4), 'targets': ints(0, 1, 2), 'k': scalar(2)})
    case('TopKV2', {'input': distinct(2, 5), 'k': scalar(3)}, differentiable=['values'])


def array_cases():
    case('Identity', {'input': real(2, 2)})
    case('Reshape', {'tensor': real(2, 3), 'shape': ints(3, -1)})
    case('Transpose', {'x': real(2, 3, 2), 'perm': ints(2, 0, 1)})
    case('ConcatV2', {'values': [real(2, 1), real(2, 3)], 'axis': scalar(-1)})
    case('Split', {'split_dim': scalar(1), 'value': real(2, 4)}, {'num_split': 2})
    case('SplitV', {'value': real(2, 4), 'size_splits': ints(1, 3), 'split_dim': scalar(1)}, {'num_split': 2})
    case('Slice', {'input': real(3, 4), 'begin': ints(1, 0), 'size': ints(2, -1)})
    slices = {'input': real(3, 4), 'begin': ints(0, 3), 'end': ints(2, 0), 'strides': ints(1, -2)}
    case('StridedSlice', slices)
    case('StridedSlice', slices, {'begin_mask': 1, 'end_mask': 2, 'shrink_axis_mask': 0}, name='masks')
    case('StridedSlice', {'input': real(3, 4), 'begin': ints(-1, 0), 'end': ints(0, 0), 'strides': ints(1, 1)},
         {'shrink_axis_mask': 1, 'end_mask': 2}, name='row')
    case('StridedSlice', {'input': real(2, 3), 'begin': ints(0, 0, 1), 'end': ints(0, 0, 2), 'strides': ints(1, 1, 1)},
         {'ellipsis_mask': 1, 'new_axis_mask': 2}, name='new_axis')
    case('Pack', {'values': [real(2, 2), real(2, 2)]}, {'axis': 1})
    case('Unpack', {'value': real(3, 2)}, {'num': 2, 'axis': 1})
    case('Tile', {'input': real(2, 2), 'multiples': ints(2, 3)})
    paddings = np.array([[1, 0], [0, 2]], np.int32)
    case('Pad', {'input': real(2, 2), 'paddings': paddings})
    case('PadV2', {'input': real(2, 2), 'paddings': paddings, 'constant_values': scalar(-1, np.float32)})
    case('MirrorPad', {'input': real(3, 3), 'paddings': paddings}, {'mode': 'REFLECT'})
    case('MirrorPad', {'input': real(3, 3), 'paddings': paddings}, {'mode': 'SYMMETRIC'}, name='symmetric')
    case('ExpandDims', {'input': real(2, 3), 'dim': scalar(1)})
    case('Squeeze', {'input': real(2, 1, 3, 1)}, {'squeeze_dims': [1]})
    case('GatherV2', {'params': real(4, 2), 'indices': ints(3, 0, 3), 'axis': scalar(0)})
    case('GatherV2', {'params': real(2, 3), 'indices': np.array([[2, 0], [1, 1]], np.int32), 'axis': scalar(1)}, name='columns')
    case('GatherNd', {'params': real(3, 2), 'indices': np.array([[2, 1], [0, 0], [2, 1]], np.int32)})
    case('ScatterNd', {'indices': np.array([[2], [0], [2]], np.int32), 'updates': real(3, 2), 'shape': ints(4, 2)})
    case('BroadcastTo', {'input': real(2, 1), 'shape': ints(3, 2, 2)})
    case('Fill', {'dims': ints(2, 3), 'value': scalar(1.5, np.float32)})
    case('OneHot', {'indices': ints(0, 2, -1), 'depth': scalar(3), 'on_value': scalar(2, np.float32),
                    'off_value': scalar(-1, np.float32)})
    case('ReverseV2', {'tensor': real(2, 3), 'axis': ints(1)})
    case('ZerosLike', {'x': real(2)})
    case('OnesLike', {'x': real(2)})
    case('Shape', {'input': real(2, 3)})
    case('Size', {'input': real(2, 3)})
    case('Rank', {'input': real(2, 3)})
    case('Range', {'start': scalar(1), 'limit': scalar(8), 'delta': scalar(3)})
    case('Range', {'start': scalar(0, np.float32), 'limit': scalar(1, np.float32), 'delta': scalar(0.25, np.float32)}, name='float')
    case('UnsortedSegmentSum', {'data': real(4, 2), 'segment_ids': ints(2, 0, 2, 1), 'num_segments': scalar(3)})
    case('MatrixBandPart', {'input': real(3, 4), 'num_lower': scalar(1, np.int64), 'num_upper': scalar(0, np.int64)})
    case('StopGradient', {'input': real(2)})


def shape_text(shape):
    return '[' + ','.join(map(str, shape)) + ']'


def tensor_text(array):
    array = np.asarray(array)
    digits = {'f4': '%.9g', 'f8': '%.17g'}.get(array.dtype.str[1:])
    if digits:
        values = [digits % v for v in array.ravel()]
    else:
        values = [str(v).lower() for v in array.ravel()]
    name = {'float32': 'float', 'float64': 'double'}.get(array.dtype.name, array.dtype.name)
    return ' '.join([name, shape_text(array.shape)] + values)


def attr_text(name, value):
    if isinstance(value, bool):
        return '%s: bool = %s' % (name, str(value).lower())
    if isinstance(value, int):
        return '%s: int = %d' % (name, value)
    if isinstance(value, float):
        return '%s: float = %.9g' % (name, np.float32(value))
    if isinstance(value, str):
        return "%s: string = '%s'" % (name, value)
    if isinstance(value, list):
        return '%s: list(int) = [%s]' % (name, ', '.join(map(str, value)))
    return '%s: type = %s' % (name, {'float64': 'double'}.get(value.name, value.name))


def default_attrs(definition):
    """The default values, without the attributes that the inputs give."""
    given = {name for arg in definition.input_arg for name in (arg.type_attr, arg.number_attr, arg.type_list_attr)}
    defaults = {}
    for attr in definition.attr:
        if attr.HasField('default_value') and attr.name not in given:
            kind = attr.default_value.WhichOneof('value')
            value = getattr(attr.default_value, kind)
            defaults[attr.name] = (list(value.i) if kind == 'list' else value.decode() if kind == 's' else
                                   tf.as_dtype(value) if kind == 'type' else value)
    return defaults


def run(name, op, inputs, attrs, differentiable, counted):
    lines = ['case ' + name, 'op ' + op] + ['attr ' + attr_text(*item) for item in attrs.items()]
    definition = op_def_registry.get(op)
    # A placeholder for each input, so that nothing is folded or known when the graph is built.
    with tf1.Graph().as_default():
        fed, arguments, flat = {}, {}, []
        for arg in definition.input_arg:
            values = inputs[arg.name]
            tensors = []
            for value in values if isinstance(values, list) else [values]:
                # Numbers that give shapes are constants: gradients of several ops want to know them.
                is_parameter = value.dtype.kind == 'i' and any(v.dtype.kind == 'f' for w in inputs.values()
                                                              for v in (w if isinstance(w, list) else [w]))
                tensor = tf.constant(value) if is_parameter else tf1.placeholder(value.dtype, value.shape)
                if not is_parameter:
                    fed[tensor] = value
                lines.append('input %s %s' % (arg.name, tensor_text(value)))
                tensors.append(tensor)
                flat.append((arg.name, tensor, value))
            arguments[arg.name] = tensors if isinstance(values, list) else tensors[0]
        result = op_def_library.apply_op(op, **dict(default_attrs(definition), **attrs), **arguments)
        while isinstance(result, (list, tuple)):
            result = result[0]
        names = [a.name for a in definition.output_arg]
        names = names if len(names) > 1 else names * len(result.op.outputs)
        outputs = list(zip(names, result.op.outputs))[:counted]
        with tf1.Session() as session:
            values = session.run([t for _, t in outputs], fed)
            lines += ['output %s %s' % (n, tensor_text(v)) for (n, _), v in zip(outputs, values)]
            ys, gradients_in = [], []
            for (output, tensor), value in zip(outputs, values):
                if tensor.dtype.is_floating and (differentiable is None or output in differentiable):
                    ys.append(tensor)
                    gradients_in.append(real(*value.shape, dtype=value.dtype))
            xs = [(n, t) for n, t, v in flat if v.dtype.kind == 'f']
            if ys and xs:
                try:
                    gradients = tf1.gradients(ys, [t for _, t in xs], [tf.constant(g) for g in gradients_in])
                except LookupError:
                    return lines + ['no_gradient', 'end']
                y_names = {id(t): n for n, t in outputs}
                lines += ['output_gradient %s %s' % (y_names[id(y)], tensor_text(g)) for y, g in zip(ys, gradients_in)]
                for (n, _), gradient in zip(xs, gradients):
                    if gradient is None:
                        lines.append('gradient %s none' % n)
                    else:
                        lines.append('gradient %s %s' % (n, tensor_text(session.run(tf.convert_to_tensor(gradient), fed))))
    return lines + ['end']


def main():
    math_cases()
    nn_cases()
    array_cases()
    assert len({c[0] for c in CASES}) == len(CASES)
    with open(sys.argv[1], 'w') as out:
        out.write('# %d cases of TensorFlow %s on a CPU, by make_gradients.py, which says what the lines mean.\n' %
                  (len(CASES), tf.__version__))
        for one in CASES:
            try:
                out.write('\n'.join(run(*one)) + '\n')
            except Exception:
                print('in', one[0])
                raise


main()
