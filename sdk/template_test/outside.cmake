# Installs the SDK into an empty prefix, copies the installed template away from this tree, builds it there as an outside
# project would and runs its conformance test. cmake -DBUILD=... -DWORK=... -DCXX=... -P outside.cmake
function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
step("installing the SDK" ${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${WORK}/prefix)
file(COPY ${WORK}/prefix/share/godwit-sdk/template/ DESTINATION ${WORK}/my-channel)

file(READ ${WORK}/my-channel/sms.cpp source)
string(REGEX MATCHALL "\n" newlines "${source}")
list(LENGTH newlines count)
if(count GREATER 119)
  message(FATAL_ERROR "the template's source has ${count} lines; a newcomer was promised fewer than 120")
endif()

step("configuring the template" ${CMAKE_COMMAND} -S ${WORK}/my-channel -B ${WORK}/build -G Ninja
  -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${WORK}/prefix "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
step("building the template" ${CMAKE_COMMAND} --build ${WORK}/build)
step("checking the template" ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --output-on-failure --no-tests=error)
