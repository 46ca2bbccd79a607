# godwit_add_plugin: builds a channel plugin the way that the broker can load safely. Used inside the project and, through
# find_package(godwit-sdk), outside of it.
#
#   godwit_add_plugin(sms SRCS sms.cpp [DEPS nlohmann_json::nlohmann_json] [EMBED schema.json] [NO_INSTALL])
#
# EMBED turns files into constants of the generated header "<name>_embedded.hpp": schema.json becomes
# `std::string_view embedded::schema_json`.
#
# Makes sms.so, which exports gw_entry_* and nothing else, refuses undefined symbols at link time, binds everything at load
# and is never unloaded. Inside the project it lands in ${GODWIT_PLUGIN_OUTPUT_DIRECTORY}; `install` puts it into lib/godwit.

function(godwit_embed_files header)
  set(text "#pragma once\n#include <string_view>\nnamespace embedded {\n")
  foreach(file ${ARGN})
    file(READ "${file}" content)
    string(MAKE_C_IDENTIFIER "${file}" id)
    string(APPEND text "inline constexpr std::string_view ${id} = R\"embedded(${content})embedded\";\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  endforeach()
  string(APPEND text "}  // namespace embedded\n")
  file(CONFIGURE OUTPUT "${header}" CONTENT "@text@" @ONLY)  # writes only what changed
endfunction()

function(godwit_add_plugin name)
  cmake_parse_arguments(ARG "NO_INSTALL" "" "SRCS;DEPS;EMBED" ${ARGN})
  # The target is called plugin_<name>, so that a plugin may bear the name of a library.
  set(target plugin_${name})
  set(map "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/godwit_plugin.map")
  add_library(${target} MODULE ${ARG_SRCS})
  target_link_libraries(${target} PRIVATE godwit::sdk ${ARG_DEPS})
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} NO_SONAME ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON LINK_DEPENDS "${map}")
  if(ARG_EMBED)
    godwit_embed_files("${CMAKE_CURRENT_BINARY_DIR}/${name}_embedded/${name}_embedded.hpp" ${ARG_EMBED})
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/${name}_embedded")
  endif()
  if(GODWIT_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${GODWIT_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A "unique" symbol would be shared by all plugins that define it and would pin the library for ever.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  target_link_options(${target} PRIVATE
    "LINKER:--version-script=${map}" "LINKER:-z,now" "LINKER:-z,nodelete" "LINKER:--exclude-libs,ALL")
  # A sanitizer's runtime comes with the program, so an instrumented plugin has undefined symbols by design.
  get_target_property(options ${target} COMPILE_OPTIONS)
  if(NOT "${options} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${target} PRIVATE "LINKER:-z,defs")
  endif()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${target} LIBRARY DESTINATION lib/godwit COMPONENT plugins)
  endif()
endfunction()

# godwit_check_plugin(sms [CONFIG my.json] [SAMPLES samples] [SECRETS app_key=abc ...] [LABELS core])
# A CTest `plugin_check_sms` that runs the plugin through godwit-plugin-check. Paths are relative to the source folder.
function(godwit_check_plugin name)
  if(NOT TARGET godwit::plugin-check)
    message(STATUS "godwit-plugin-check is not installed: no conformance test for ${name}")
    return()
  endif()
  cmake_parse_arguments(ARG "" "CONFIG;SAMPLES" "SECRETS;LABELS" ${ARGN})
  set(arguments $<TARGET_FILE:plugin_${name}> ${ARG_CONFIG})
  if(ARG_SAMPLES)
    list(APPEND arguments --samples ${ARG_SAMPLES})
  endif()
  foreach(secret ${ARG_SECRETS})
    list(APPEND arguments --secret ${secret})
  endforeach()
  add_test(NAME plugin_check_${name} COMMAND godwit::plugin-check ${arguments}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(plugin_check_${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 300)
endfunction()
