# What the library stands on; the Debian package of each, and the reason for it, is in cmake/debian-packages.txt.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(fmt REQUIRED)

find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
find_path(EIGEN_INCLUDE_DIR Eigen/QR PATH_SUFFIXES eigen3 REQUIRED)
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)
find_path(ISAL_INCLUDE_DIR isa-l/crc.h REQUIRED)
find_library(ISAL_LIBRARY isal REQUIRED)
find_path(LEVELDB_INCLUDE_DIR leveldb/table.h REQUIRED)
find_library(LEVELDB_LIBRARY leveldb REQUIRED)
find_path(SNAPPY_INCLUDE_DIR snappy.h REQUIRED)
find_library(SNAPPY_LIBRARY snappy REQUIRED)

add_library(varflow_dependencies INTERFACE)
target_include_directories(varflow_dependencies SYSTEM INTERFACE
  ${DNNL_INCLUDE_DIR} ${EIGEN_INCLUDE_DIR} ${PROTOZERO_INCLUDE_DIR} ${ISAL_INCLUDE_DIR} ${LEVELDB_INCLUDE_DIR} ${SNAPPY_INCLUDE_DIR})
target_link_libraries(varflow_dependencies INTERFACE
  OpenMP::OpenMP_CXX Threads::Threads ZLIB::ZLIB PNG::PNG fmt::fmt
  ${DNNL_LIBRARY} ${ISAL_LIBRARY} ${LEVELDB_LIBRARY} ${SNAPPY_LIBRARY})
