# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

install(
  TARGETS
    chokepoint_hwmodels
    chokepoint_workloads
    chokepoint_campaign
    chokepoint_scenario
    chokepoint_report
    chokepoint_engine
    chokepoint_profile
    chokepoint_compare
    chokepoint_sweep
    chokepoint_workers
    chokepoint_sampling
    chokepoint_validation
    chokepoint_chokepoint
  EXPORT chokepointTargets
  FILE_SET HEADERS)
install(TARGETS chokepoint_cli)

set(config_destination "${CMAKE_INSTALL_LIBDIR}/cmake/chokepoint")

configure_package_config_file(cmake/chokepointConfig.cmake.in chokepointConfig.cmake
  INSTALL_DESTINATION "${config_destination}"
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(chokepointConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(EXPORT chokepointTargets NAMESPACE chokepoint:: DESTINATION "${config_destination}")
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/chokepointConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/chokepointConfigVersion.cmake"
  DESTINATION "${config_destination}")
install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
