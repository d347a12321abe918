#!/bin/sh
# Compiles, links and runs a program with no more than pkg-config knows: run.sh PREFIX/LIBDIR MAIN.CPP PROGRAM
set -eu
flags=$(PKG_CONFIG_PATH=$1/pkgconfig pkg-config --cflags --libs 'varflow >= 0.1')
eval "${CXX:-c++} -std=c++20 \"\$2\" $flags -o \"\$3\""  # pkg-config quotes what a shell must not split
LD_LIBRARY_PATH=$1 "$3"
