// Files of NumPy 2.4.6 (tests/golden/make_checkpoints.py), and our own against the format's description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/fault_env.h"
#include "base/memory_env.h"
#include "io/npy_header.h"
#include "io/support.h"
#include "varflow/arrays.h"

namespace vf {
namespace {

using testing::error_of;
using testing::golden;
using ::testing::HasSubstr;
using testing::same;
using testing::TempFolder;

Tensor numpy(const std::string& name) { return read_npy(golden("npy/" + name + ".npy")); }

TEST(Npy, ReadsNumPysFiles) {
  EXPECT_TRUE(same(numpy("float"), Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_TRUE(same(numpy("big_endian"), Tensor::of<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_TRUE(same(numpy("big_endian_fortran"), Tensor::of<uint16_t>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_TRUE(same(numpy("version2"), Tensor::of<int16_t>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_TRUE(same(numpy("version3"), Tensor::of<int64_t>({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_TRUE(same(numpy("scalar"), Tensor(2.5)));
  EXPECT_TRUE(same(numpy("empty"), Tensor(DType::Half, {3, 0, 2})));
  EXPECT_TRUE(same(numpy("bool"), Tensor::vector<bool>({true, false})));
  const Tensor fortran = numpy("fortran");
  ASSERT_EQ(fortran.shape(), (Shape{2, 3, 4}));
  for (int i = 0; i < 24; ++i) EXPECT_EQ(fortran.values<double>()[i], i);
  const Tensor complex = numpy("big_endian_complex");
  const double expected[] = {1, 2, 3, -4};
  ASSERT_EQ(complex.bytes(), sizeof expected);
  EXPECT_EQ(std::memcmp(complex.raw(), expected, sizeof expected), 0);
}

TEST(Npy, ReadsStrings) {
  EXPECT_TRUE(same(numpy("bytes"), Tensor::vector<std::string>({"ab", "c", ""})));
  EXPECT_TRUE(same(numpy("text"), Tensor::vector<std::string>({"ab", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", ""})));
}

TEST(Npy, NamesWhatItCannotRead) {
  for (const auto& [name, text] : {std::pair("records", "with fields"), std::pair("object", "'|O'")}) {
    const Error e = error_of([&] { numpy(name); });
    EXPECT_EQ(e.code(), Code::Unimplemented);
    EXPECT_THAT(e.what(), HasSubstr(text));
    EXPECT_THAT(e.what(), HasSubstr(name));
  }
}

// The same array gives the same bytes as NumPy's own writer.
TEST(Npy, WritesTheBytesOfNumPy) {
  TempFolder folder;
  for (const std::string name : {"float", "scalar", "empty", "bool", "bytes"}) {
    write_npy(folder / name, numpy(name));
    EXPECT_EQ(read_file(Env::system(), folder / name), read_file(Env::system(), golden("npy/" + name + ".npy")))
        << name;
  }
  const std::string bfloat16 = golden("checkpoints/mixed.bfloat16.npy");
  write_npy(folder / "b", read_npy(bfloat16));
  EXPECT_EQ(read_file(Env::system(), folder / "b"), read_file(Env::system(), bfloat16));
}

TEST(Npy, ReadsWhatItWrites) {
  TempFolder folder;
  for (int d = 1; d < 24; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (!is_plain(dtype) || dtype_size(dtype) == 0) continue;
    if (dtype_name(dtype)[0] == 'q') {
      EXPECT_EQ(error_of([&] { write_npy(folder / "a", Tensor::zeros(dtype, {1})); }).code(), Code::Unimplemented);
      continue;  // NumPy has no quantized types
    }
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 0}, Shape{2, 3, 4}, Shape{1, 1, 1, 1, 1, 1, 1, 1}}) {
      Tensor tensor = Tensor::zeros(dtype, shape);
      for (size_t i = 0; i < tensor.bytes(); ++i)
        static_cast<uint8_t*>(tensor.raw())[i] = static_cast<uint8_t>(dtype == DType::Bool ? i % 2 : i * 7);
      write_npy(folder / "a", tensor);
      EXPECT_TRUE(same(read_npy(folder / "a"), tensor)) << dtype_name(dtype) << shape.str();
    }
  }
}

TEST(Npy, RefusesToWriteWhatWouldBeLost) {
  TempFolder folder;
  const Error e = error_of([&] { write_npy(folder / "a", Tensor::vector<std::string>({std::string("a\0", 2)})); });
  EXPECT_EQ(e.code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { write_npy(folder / "a", Tensor(DType::Variant, {})); }).code(), Code::Unimplemented);
  testing::FaultEnv env;
  env.fail_at(1, ENOSPC);
  EXPECT_EQ(error_of([&] { write_npy(env, folder / "a", Tensor(1.0F)); }).code(), Code::ResourceExhausted);
  EXPECT_TRUE(Env::system().list(folder.path()).empty());
}

TEST(Npy, DamageIsAnErrorOrData) {
  testing::MemoryEnv env;
  for (const std::string name : {"fortran", "text", "version3", "big_endian"}) {
    const std::string whole = read_file(Env::system(), golden("npy/" + name + ".npy"));
    for (size_t i = 0; i < whole.size(); ++i) {
      env.files["a"] = whole.substr(0, i);
      EXPECT_THROW(read_npy(env, "a"), Error) << name << " cut at " << i;
      for (const int mask : {0xff, 0x01, 0x04, 0x10, 0x80}) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ mask);
        env.files["a"] = bytes;
        try {
          read_npy(env, "a");
        } catch (const Error& e) {
          EXPECT_NE(e.code(), Code::ResourceExhausted) << name << " changed at " << i;
        }
      }
    }
  }
}

std::string with_header(const std::string& dict, const std::string& data = std::string(64, '\0')) {
  std::string bytes("\x93NUMPY\x02\x00", 8);
  put_fixed32(&bytes, static_cast<uint32_t>(dict.size()));
  return bytes + dict + data;
}

TEST(Npy, HeadersOfOtherWritersAndLiars) {
  testing::MemoryEnv env;
  const auto code_of = [&](const std::string& bytes) {
    env.files["a"] = bytes;
    try {
      read_npy(env, "a");
    } catch (const Error& e) {
      return e.code();
    }
    return Code::Ok;
  };
  EXPECT_EQ(code_of(with_header("{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"<f4\"}")), Code::Ok);
  EXPECT_EQ(code_of(with_header("{'descr': '=i8', 'fortran_order': False, 'shape': (2, 2,)}\n")), Code::Ok);
  EXPECT_EQ(code_of(with_header("{'descr': '|S0', 'fortran_order': False, 'shape': (2,)}\n")), Code::Ok);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (17,)}\n")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False}\n")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}\n")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}\n")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} 1")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}\n")), Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}\n")),
            Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (4611686018427387904, 0)}\n")),
            Code::Ok);
  EXPECT_EQ(code_of(with_header("{'descr': '|S0', 'fortran_order': False, 'shape': (99999999999,)}\n")),
            Code::DataLoss);
  EXPECT_EQ(code_of(with_header("{'descr': '<U9999999999', 'fortran_order': False, 'shape': (1,)}\n")),
            Code::Unimplemented);
  EXPECT_EQ(code_of(with_header("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,)}\n")), Code::Unimplemented);
  EXPECT_EQ(code_of(with_header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}\n", "\xff\xff\xff\xff")),
            Code::DataLoss);
  EXPECT_EQ(code_of(std::string("\x93NUMPY\x04\x00\x00\x00\x00\x00", 12)), Code::Unimplemented);
  EXPECT_EQ(code_of("no npy at all"), Code::DataLoss);
}

}  // namespace
}  // namespace vf
