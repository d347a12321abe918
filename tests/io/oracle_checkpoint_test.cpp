// Writes what tests/oracle/check_checkpoint.py gives to TensorFlow. Not run by itself:
//   VARFLOW_ORACLE_FOLDER=F test_io --gtest_also_run_disabled_tests --gtest_filter='Oracle*'
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/env.h"
#include "varflow/arrays.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

TEST(Oracle, DISABLED_WritesACheckpointForTensorFlow) {
  const char* folder = std::getenv("VARFLOW_ORACLE_FOLDER");
  ASSERT_NE(folder, nullptr);
  const std::string root = folder;
  Env::system().create_folders(root);
  CheckpointWriter writer(join_path(root, "model-7"));
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    writer.add(name, tensor);
    write_npy(join_path(root, "model-7." + name + ".npy"), tensor);
  };
  for (const DType dtype : {DType::Float, DType::Double, DType::Int32, DType::UInt8, DType::Int16, DType::Int8,
                            DType::Complex64, DType::Int64, DType::Bool, DType::BFloat16, DType::UInt16,
                            DType::Complex128, DType::Half, DType::UInt32, DType::UInt64}) {
    for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{2, 3, 5}, Shape{700, 300}}) {
      Tensor tensor = Tensor::zeros(dtype, shape);
      auto* bytes = static_cast<uint8_t*>(tensor.raw());
      for (size_t i = 0; i < tensor.bytes(); ++i)
        bytes[i] = static_cast<uint8_t>(dtype == DType::Bool ? i % 3 == 0 : i % 59);
      add(std::string(dtype_name(dtype)) + "_" + std::to_string(tensor.num_elements()), tensor);
    }
  }
  add("strings", Tensor::of<std::string>({2, 2}, {"", std::string("a\0b", 3), std::string(300, 'x'), "\xff"}));
  add("string", Tensor("one"));
  add("no_strings", Tensor(DType::String, {0}));

  Tensor grid(DType::Float, {100, 70});
  for (int i = 0; i < 7000; ++i) grid.data<float>()[i] = static_cast<float>(i);
  write_npy(join_path(root, "model-7.grid.npy"), grid);
  Tensor top(DType::Float, {65, 70});
  std::copy_n(grid.data<float>(), 65 * 70, top.data<float>());
  writer.add("grid", top, "100 70 0,65:-");
  Tensor rest(DType::Float, {35, 70});
  std::copy_n(grid.data<float>() + 65 * 70, 35 * 70, rest.data<float>());
  writer.add("grid", rest, "100 70 65,35:-");
  for (int i = 0; i < 20000; ++i) writer.add("many/layer" + std::to_string(i), Tensor(static_cast<int32_t>(i)));
  writer.finish();
  CheckpointHistory().saved(join_path(root, "model-7"));

  for (int shard = 0; shard < 2; ++shard) {
    CheckpointWriter part(join_path(root, "merged_temp/part-" + std::to_string(shard)));
    const Tensor value = Tensor::vector<float>({1.0F + static_cast<float>(shard)});
    part.add("v" + std::to_string(shard), value);
    write_npy(join_path(root, "merged.v" + std::to_string(shard) + ".npy"), value);
    part.finish();
  }
  merge_checkpoints(Env::system(), {join_path(root, "merged_temp/part-0"), join_path(root, "merged_temp/part-1")},
                    join_path(root, "merged"));
}

}  // namespace
}  // namespace vf
