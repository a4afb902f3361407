// SPDX-License-Identifier: Apache-2.0
// Maximum flow over whole numbers of cables, for the switch graph and for its summary in levels.
#pragma once

#include <cstdint>
#include <memory>

namespace chokepoint::hw {

class FlowNetwork {
public:
    explicit FlowNetwork(int vertices);
    ~FlowNetwork();
    FlowNetwork(const FlowNetwork&) = delete;
    FlowNetwork& operator=(const FlowNetwork&) = delete;

    /// One direction.
    void add(int from, int to, std::int64_t capacity);
    /// Each direction by itself.
    void join(int a, int b, std::int64_t capacity);
    [[nodiscard]] std::int64_t max_flow(int source, int sink);

private:
    struct Graph;
    std::unique_ptr<Graph> graph_;
};

} // namespace chokepoint::hw
