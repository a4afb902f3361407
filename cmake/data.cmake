# SPDX-License-Identifier: Apache-2.0
# The data that programs read at run time. The build tree gets links to the source folders, laid out as an installed
# copy is, so that an edited catalog file takes effect without a build.
set(CHOKEPOINT_BUILD_DATA_DIR "${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_DATADIR}/chokepoint")
file(MAKE_DIRECTORY "${CHOKEPOINT_BUILD_DATA_DIR}")

function(chokepoint_data name folder)
  set(link "${CHOKEPOINT_BUILD_DATA_DIR}/${name}")
  if(NOT IS_SYMLINK "${link}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${folder}" "${link}" SYMBOLIC)
  endif()
  install(DIRECTORY "${folder}/" DESTINATION "${CMAKE_INSTALL_DATADIR}/chokepoint/${name}"
    OPTIONAL
    FILES_MATCHING PATTERN "*.toml" PATTERN "*.json" PATTERN "*.tsv" PATTERN "*.csv")
endfunction()

#               installed as   from
chokepoint_data(catalog        hwmodels/catalog)
chokepoint_data(measurements   hwmodels/measurements)
chokepoint_data(fits           hwmodels/fits)
chokepoint_data(kernel_rules   hwmodels/kernel_rules)
chokepoint_data(models         workloads/models)
chokepoint_data(software       workloads/software)
chokepoint_data(scenarios      scenarios)
chokepoint_data(schema         docs/schema)
