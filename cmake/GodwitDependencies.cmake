# Everything that we take from Debian, found once. Nothing is vendored and nothing is downloaded.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)                                   # Asio, Beast, DLL, unordered, math (headers)
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem)             # Boost.DLL needs it
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)                                     # the intake parser
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(EXPAT REQUIRED)                                        # XMPP streams
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_path(VALIJSON_INCLUDE valijson/validator.hpp REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
find_path(NGHTTP2_INCLUDE nghttp2/nghttp2.h REQUIRED)
find_library(NGHTTP2_LIBRARY nghttp2 REQUIRED)                       # vendor calls over HTTP/2
find_library(XXHASH_LIBRARY xxhash REQUIRED)

add_library(godwit_xxhash INTERFACE)
target_include_directories(godwit_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE})
target_link_libraries(godwit_xxhash INTERFACE ${XXHASH_LIBRARY})

# Boost's headers choose their options by macros, so every user must see the same ones.
add_library(godwit_boost INTERFACE)
target_link_libraries(godwit_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(godwit_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_DLL_USE_STD_FS)

if(GODWIT_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(GODWIT_BENCH)
  find_package(benchmark REQUIRED)
endif()
