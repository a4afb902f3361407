// SPDX-License-Identifier: Apache-2.0
// Nodes of GPUs on NVSwitch, joined by a fabric: what a transfer may use.
#pragma once

#include <chokepoint/hwmodels/fabric.hpp>
#include <chokepoint/hwmodels/gpu_spec.hpp>

namespace chokepoint::hw {

struct Node {
    GpuSpec gpu;
    int gpus = 8;
    int nics = 8;
    BytesPerSecond nic; ///< per NIC, one direction, line rate
    Seconds nvlink_latency;
    BytesPerSecond host_link;   ///< one GPU's link to the CPUs, one direction, as achieved
    BytesPerSecond host_memory; ///< one GPU's share of the CPUs' memory bandwidth
    Seconds host_call;          ///< what a framework takes on the CPU to start a kernel: host_launch.hpp
    bool nvls = false;          ///< the switch reduces and multicasts (NVLink SHARP)
    friend bool operator==(const Node&, const Node&) = default;
};

struct Cluster {
    Node node;
    Fabric fabric;
    int nodes = 1;
    [[nodiscard]] int gpus() const { return nodes * node.gpus; }
    friend bool operator==(const Cluster&, const Cluster&) = default;
};

/// The node with its NICs and its GPUs lowered to the caps.
Node apply(const Caps&, Node);

/// One GPU's share of its node's NICs, one direction, line rate.
BytesPerSecond nic_per_gpu(const Node&);

} // namespace chokepoint::hw
