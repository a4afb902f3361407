# SPDX-License-Identifier: Apache-2.0
# chokepoint_options carries the warnings and sanitizers of our own code; consumers of the libraries never see it.
add_library(chokepoint_options INTERFACE)
target_compile_options(chokepoint_options INTERFACE
  $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-Wall;-Wextra;-Wshadow;-Wconversion;-Wnon-virtual-dtor;-Woverloaded-virtual;-Wno-missing-field-initializers>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on std::string's operator+: GCC bug 105651.
  target_compile_options(chokepoint_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(CHOKEPOINT_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # To GCC a source that another includes is a header, and headers should hold no anonymous types.
  target_compile_options(chokepoint_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
if(CHOKEPOINT_WERROR)
  target_compile_options(chokepoint_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(CHOKEPOINT_SANITIZE)
  target_compile_options(chokepoint_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${CHOKEPOINT_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>)
  target_link_options(chokepoint_options INTERFACE -fsanitize=${CHOKEPOINT_SANITIZE})
endif()

# chokepoint_library(<name>) declares the library chokepoint_<name>, alias chokepoint::<name>, with what all of ours
# share. Sources, headers (FILE_SET HEADERS) and dependencies follow in the folder's own CMakeLists.txt; install.cmake
# names the library once more.
function(chokepoint_library name)
  add_library(chokepoint_${name})
  add_library(chokepoint::${name} ALIAS chokepoint_${name})
  set_target_properties(chokepoint_${name} PROPERTIES EXPORT_NAME ${name} CXX_EXTENSIONS OFF)
  target_compile_features(chokepoint_${name} PUBLIC cxx_std_20)
  target_link_libraries(chokepoint_${name} PRIVATE $<BUILD_INTERFACE:chokepoint_options>)
endfunction()
