# cmake -DPROJECT=... -DBUILD=... -P project.cmake -- ARGUMENT...: configures a project afresh with these arguments,
# builds and tests it. (ctest --build-and-test would change the locale, and with it what ccache finds.)
set(arguments "")
set(ours TRUE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(NOT ours)
    list(APPEND arguments ${CMAKE_ARGV${i}})
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(ours FALSE)
  endif()
endforeach()
file(REMOVE_RECURSE ${BUILD})
foreach(command
    "${CMAKE_COMMAND};-S;${PROJECT};-B;${BUILD};${arguments}"
    "${CMAKE_COMMAND};--build;${BUILD}"
    "${CMAKE_CTEST_COMMAND};--test-dir;${BUILD};--output-on-failure;--no-tests=error")
  execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
