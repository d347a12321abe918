# Flags of every target of ours, on the interface target varflow_flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
find_program(VARFLOW_CCACHE ccache)
if(VARFLOW_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the sources count as relative ones, so that clones and worktrees share what is compiled.
  get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${root} ${VARFLOW_CCACHE})
endif()

add_library(varflow_flags INTERFACE)
target_compile_features(varflow_flags INTERFACE cxx_std_20)
# No contraction into fused multiply-adds: fused, unfused, graph and file must agree to the bit.
# No errno and no trapping math: they keep sqrt and selects from being vectorized.
target_compile_options(varflow_flags INTERFACE
  -Wall -Wextra -Wshadow -Wno-sign-compare
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # gcc 12 warns falsely on std::string's operator+
  -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(VARFLOW_SANITIZE)
  target_compile_options(varflow_flags INTERFACE -fsanitize=${VARFLOW_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  target_link_options(varflow_flags INTERFACE -fsanitize=${VARFLOW_SANITIZE})
endif()
