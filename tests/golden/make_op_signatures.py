#!/usr/bin/env python3
"""Writes op_signatures.txt: the signature of every op that real TensorFlow registers, one line an op.

    pip install tensorflow-cpu==2.21.0
    python make_op_signatures.py op_signatures.txt

The lines have the form that OpDef::signature() prints, so that the two can be compared as text; the grammar stands at
the head of the file that this script writes.
"""
import os
import re
import struct
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import tensorflow as tf
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

# Ops that this project cannot meet in a graph of a user's, or that belong to hardware and services it has no part in.
LEFT_OUT = re.compile(
    r'^_|TPU|Tpu|Xla|XLA|SparseCore|CooTensor|Dedup|DTensor|Relayout|CopyToMesh|Cudnn|Nccl|Collective|BoostedTrees|'
    r'^Experimental|^Risc|^Rpc|UniformQuantized|CrossReplicaSum|^AllToAll|^(In|Out)feed|^Prelinearize|Minibatch')
# Ops that a wheel carries because TensorFlow's own tests of op definitions are linked into it.
TEST_OPS = set('''
A Attr AttrBool AttrBoolList AttrDefault AttrEmptyListDefault AttrEnum AttrEnumList AttrFloat AttrListDefault
AttrListMin AttrListTypeDefault AttrMin AttrPartialShape AttrPartialShapeList AttrShape AttrShapeList AttrTypeDefault B
Binary ComplexStruct ConstructionFails CopyOp DefaultAttrs DevicePlacementOp DtypeWithDefaultOp FiveFloatOutputs
FloatInput FloatOutput FloatOutputStringOutput Foo1 Foo2 Foo3 FuncAttr FuncListAttr GraphDefVersion InPolymorphicTwice
Int64Output IntAttr IntInput IntInputFloatInput IntInputIntOutput IntOutput IntOutputFloatOutput KernelLabel
KernelLabelRequired ListInput ListOutput MixedStruct NInPolymorphicTwice NInTwice NInTwoTypeVariables NIntsIn NIntsOut
NIntsOutDefault NPolymorphicIn NPolymorphicOut NPolymorphicOutDefault NPolymorphicRestrictIn NPolymorphicRestrictOut
None Old OpWithDefaultAttr OpWithFutureDefaultAttr OutT OutTypeList OutTypeListRestrict Polymorphic
PolymorphicDefaultOut PolymorphicOut RefIn RefInputFloatInput RefInputFloatInputIntOutput RefInputIntInput RefOut
RefOutput RefOutputFloatOutput RequiresOlderGraphVersion ReservedAttr ReservedInput ResourceCreateOp
ResourceInitializedOp ResourceUsingOp Restrict Simple SimpleStruct SleepIdentityOp SleepOp StringListAttr
StubResourceHandleOp TestAttr TestStringOutput TwoFloatInputs TwoFloatInputsFloatOutput TwoFloatInputsIntOutput
TwoFloatOutputs TwoIntInputs TwoIntOutputs TwoRefsIn TypeList TypeListRestrict TypeListTwice Unary WindowOp'''.split())

HEAD = '''\
# Ops of TensorFlow {version}, as its registry (TF_GetAllOpList) describes them: {count} of {total}.
# Made by make_op_signatures.py. Sorted by name (bytes). Lines that start with '#' are comments; each other line is one op:
#
#   op       = name "(" [args] ")" " -> " "(" [args] ")" [" {{" attrs "}}"] [" [" flags "]"]
#   args     = arg {{", " arg}}
#   arg      = name ": " ("Ref(" type ")" | type)
#   type     = [number_attr " * "] (dtype | type_attr)       a type_attr of kind list(type) stands for as many arguments
#   attrs    = attr {{", " attr}}
#   attr     = name ": " kind [" >= " int] [" = " value]     ">=": the least value of an int, the least length of a list
#   kind     = base | "list(" base ")"
#   base     = "int" | "float" | "bool" | "string" | "type" | "shape" | "tensor" | "func"
#            | "{{" dtype {{", " dtype}} "}}"                  kind type, and the dtypes that it may be
#            | "{{" quoted {{", " quoted}} "}}"                kind string, and the strings that it may be
#   value    = int | float (C's %.9g) | "true" | "false" | quoted | dtype | shape | tensor | func | "[" [values] "]"
#   quoted   = "'" characters "'"                           \\\\ \\' \\n \\t \\xHH for what would not be printable
#   dtype    = "half", "float", "double", "int32", "qint8", ... as in DataTypeString
#   shape    = "[" [sizes, without spaces; "?": unknown] "]" | "<unknown>"
#   tensor   = "tensor<" dtype " " shape ">" "[" values "]"
#   flags    = those of "stateful commutative aggregate allows_uninitialized_input", in this order
#
# Left out: names that match /{pattern}/
# and the {tests} ops that only TensorFlow's own tests of op definitions use.
'''


def quoted(text):
    out = ''
    for byte in text:
        char = chr(byte)
        if char in "\\'":
            out += '\\' + char
        elif char in '\n\t':
            out += {'\n': '\\n', '\t': '\\t'}[char]
        else:
            out += char if 32 <= byte < 127 else '\\x%02x' % byte
    return "'" + out + "'"


def dtype(number):
    name = types_pb2.DataType.Name(number)[len('DT_'):].lower()
    return name[:-len('_ref')] + '_ref' if name.endswith('_ref') else name


def number(value):
    return '%.9g' % struct.unpack('f', struct.pack('f', value))[0]


def shape(value):
    if value.unknown_rank:
        return '<unknown>'
    return '[' + ','.join('?' if d.size < 0 else str(d.size) for d in value.dim) + ']'


def tensor(value):
    array = tf.make_ndarray(value)
    return 'tensor<%s %s>[%s]' % (dtype(value.dtype), shape(value.tensor_shape), ', '.join(map(str, array.ravel())))


SCALARS = {'int': ('i', str), 'float': ('f', number), 'bool': ('b', lambda v: 'true' if v else 'false'),
           'string': ('s', quoted), 'type': ('type', dtype), 'shape': ('shape', shape), 'tensor': ('tensor', tensor),
           'func': ('func', lambda v: v.name)}


def value_text(value, kind):
    if kind.startswith('list('):
        field, text = SCALARS[kind[5:-1]]
        return '[' + ', '.join(text(v) for v in getattr(value.list, field)) + ']'
    field, text = SCALARS[kind]
    return text(getattr(value, field))


def arg_text(arg):
    text = arg.type_list_attr or arg.type_attr or dtype(arg.type)
    if arg.number_attr:
        text = arg.number_attr + ' * ' + text
    return arg.name + ': ' + ('Ref(' + text + ')' if arg.is_ref else text)


def attr_text(attr):
    kind = attr.type
    if attr.HasField('allowed_values'):
        is_list = kind.startswith('list(')
        choices = '{' + value_text(attr.allowed_values, kind if is_list else 'list(' + kind + ')')[1:-1] + '}'
        kind = 'list(' + choices + ')' if is_list else choices
    text = attr.name + ': ' + kind
    if attr.has_minimum:
        text += ' >= %d' % attr.minimum
    if attr.HasField('default_value'):
        text += ' = ' + value_text(attr.default_value, attr.type)
    return text


def signature(op):
    text = '%s(%s) -> (%s)' % (op.name, ', '.join(map(arg_text, op.input_arg)), ', '.join(map(arg_text, op.output_arg)))
    if op.attr:
        text += ' {' + ', '.join(map(attr_text, op.attr)) + '}'
    flags = [flag for flag, is_set in (('stateful', op.is_stateful), ('commutative', op.is_commutative),
                                       ('aggregate', op.is_aggregate),
                                       ('allows_uninitialized_input', op.allows_uninitialized_input)) if is_set]
    return text + (' [' + ' '.join(flags) + ']' if flags else '')


def main():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    kept = sorted((op for op in ops.op if not LEFT_OUT.search(op.name) and op.name not in TEST_OPS),
                  key=lambda op: op.name)
    with open(sys.argv[1], 'w') as out:
        out.write(HEAD.format(version=tf.__version__, count=len(kept), total=len(ops.op), pattern=LEFT_OUT.pattern,
                              tests=sum(op.name in TEST_OPS for op in ops.op)))
        for op in kept:
            out.write(signature(op) + '\n')


main()
