# godwit_add_plugin: builds a channel plugin the way that the broker can load safely. Used inside the project and, through
# find_package(godwit-sdk), outside of it.
#
#   godwit_add_plugin(sms SRCS sms.cpp [DEPS nlohmann_json::nlohmann_json])
#
# Makes sms.so, which exports gw_entry_* and nothing else, refuses undefined symbols at link time, binds everything at load
# and is never unloaded. Inside the project it lands in ${GODWIT_PLUGIN_OUTPUT_DIRECTORY}; `install` puts it into lib/godwit.
set(GODWIT_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/godwit_plugin.map")

function(godwit_add_plugin name)
  cmake_parse_arguments(ARG "NO_INSTALL" "" "SRCS;DEPS" ${ARGN})
  # The target is called plugin_<name>, so that a plugin may bear the name of a library.
  set(target plugin_${name})
  add_library(${target} MODULE ${ARG_SRCS})
  target_link_libraries(${target} PRIVATE godwit::sdk ${ARG_DEPS})
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} NO_SONAME ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON LINK_DEPENDS "${GODWIT_PLUGIN_MAP}")
  if(GODWIT_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${GODWIT_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A "unique" symbol would be shared by all plugins that define it and would pin the library for ever.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  target_link_options(${target} PRIVATE
    "LINKER:--version-script=${GODWIT_PLUGIN_MAP}" "LINKER:-z,now" "LINKER:-z,nodelete" "LINKER:--exclude-libs,ALL")
  # A sanitizer's runtime comes with the program, so an instrumented plugin has undefined symbols by design.
  get_target_property(options ${target} COMPILE_OPTIONS)
  if(NOT "${options} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${target} PRIVATE "LINKER:-z,defs")
  endif()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${target} LIBRARY DESTINATION lib/godwit COMPONENT plugins)
  endif()
endfunction()
