# What leaves the build tree: headers, both libraries, the command, and how CMake and pkg-config find them.
# All of it is relocatable: no installed file names a folder of the build.
if(NOT VARFLOW_INSTALL)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(VARFLOW_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/varflow)

install(DIRECTORY ${VARFLOW_SOURCE_DIR}/include/varflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${CMAKE_BINARY_DIR}/generated/varflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL
  FILES_MATCHING PATTERN "*.h")
install(FILES ${VARFLOW_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(kind shared static)
  install(TARGETS varflow_${kind} EXPORT varflow_${kind} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT varflow_${kind} NAMESPACE varflow:: DESTINATION ${VARFLOW_PACKAGE_DIR})
endforeach()
if(VARFLOW_TOOLS)
  get_property(tools DIRECTORY ${VARFLOW_SOURCE_DIR}/tools PROPERTY BUILDSYSTEM_TARGETS)
  foreach(tool ${tools})
    get_target_property(type ${tool} TYPE)
    if(type STREQUAL EXECUTABLE)
      set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
      install(TARGETS ${tool})
    endif()
  endforeach()
endif()

# Who links the static library links what it stands on too: as CMake finds it, and as flags for pkg-config.
set(flags_OpenMP -fopenmp)
set(flags_Threads -pthread)
set(flags_ZLIB -lz)
set(flags_PNG -lpng)
set(flags_fmt -lfmt)
set(VARFLOW_STATIC_FIND "")
set(VARFLOW_STATIC_LINK "")
set(VARFLOW_STATIC_FLAGS "")
get_target_property(dependencies varflow_dependencies INTERFACE_LINK_LIBRARIES)
foreach(dependency ${dependencies})
  if(dependency MATCHES "^(.+)::.+$")
    set(package ${CMAKE_MATCH_1})
    get_target_property(type ${dependency} TYPE)
    if(flags_${package})
      string(APPEND VARFLOW_STATIC_FIND "find_package(${package} QUIET)\n")
      string(APPEND VARFLOW_STATIC_LINK " ${dependency}")
      string(APPEND VARFLOW_STATIC_FLAGS " ${flags_${package}}")
    elseif(NOT type STREQUAL INTERFACE_LIBRARY)  # else it is headers alone
      message(FATAL_ERROR "cmake/VarflowInstall.cmake does not say how pkg-config links ${dependency}")
    endif()
  else()
    get_filename_component(name ${dependency} NAME_WE)
    string(REGEX REPLACE "^lib" "" name ${name})
    string(APPEND VARFLOW_STATIC_FIND "find_library(VARFLOW_${name}_LIBRARY ${name})\n")
    string(APPEND VARFLOW_STATIC_LINK " \${VARFLOW_${name}_LIBRARY}")
    string(APPEND VARFLOW_STATIC_FLAGS " -l${name}")
  endif()
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/varflowConfig.cmake.in varflowConfig.cmake
  INSTALL_DESTINATION ${VARFLOW_PACKAGE_DIR})
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file(varflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/varflowConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/varflowConfigVersion.cmake
  DESTINATION ${VARFLOW_PACKAGE_DIR})

file(RELATIVE_PATH VARFLOW_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/varflow.pc.in varflow.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/varflow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
