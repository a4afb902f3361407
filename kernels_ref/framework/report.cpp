// SPDX-License-Identifier: Apache-2.0
// Measurements as a file for calibration and as lines for a person.
#include "framework/report.hpp"

#include "framework/json_writer.hpp"
#include "framework/kernel_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <tuple>

namespace chokepoint::kref {
namespace {

/// Datasheet figures of the parts that this suite can run on. NVIDIA H100 and H200 datasheets, dense; H800 is
/// the H100 SXM but for NVLink and FP64.
struct Part {
    std::string_view device_prefix, id;
    double bf16_tflops, fp8_tflops, fp32_tflops, memory_gbps;
    std::string_view source;
};
constexpr std::array kParts{
    Part{"NVIDIA H100 80GB HBM3", "h100-sxm", 989, 1979, 67, 3350, "NVIDIA H100 SXM5 datasheet"},
    Part{"NVIDIA H200", "h200-sxm", 989, 1979, 67, 4800, "NVIDIA H200 datasheet"},
    Part{"NVIDIA H800", "h800-sxm", 989, 1979, 67, 3350,
         "NVIDIA H100 SXM5 datasheet; H800 SXM5 differs in NVLink and FP64 only"},
};
constexpr Part kUnknownPart{"", "unknown", 989, 1979, 67, 3350, "assumed: NVIDIA H100 SXM5 datasheet"};

std::string fact(const MachineFacts& facts, std::string_view key) {
    for (const auto& [name, value] : facts) {
        if (name == key) {
            return value;
        }
    }
    return "unknown";
}

const Part& part_of(const std::string& device) {
    for (const Part& part : kParts) {
        if (device.starts_with(part.device_prefix)) {
            return part;
        }
    }
    return kUnknownPart;
}

const Kernel& kernel_of(const Measurement& m) { return kernels()[static_cast<std::size_t>(m.kernel)]; }

std::vector<std::vector<Case>> all_cases() {
    std::vector<std::vector<Case>> cases;
    for (const Kernel& kernel : kernels()) {
        cases.push_back(kernel.cases());
    }
    return cases;
}

const Case& case_of(const Measurement& m) {
    // Made once: a file asks some ten times for each of its thousands of rows.
    static const std::vector<std::vector<Case>> kCases = all_cases();
    return kCases.at(static_cast<std::size_t>(m.kernel)).at(static_cast<std::size_t>(m.case_index));
}

std::string op_name(const Case& c) {
    const std::string role(name(c.role));
    return (c.model.empty() ? "" : c.model + " ") + c.op + (role.empty() ? "" : " " + role);
}

/// Rows that share everything but the shape.
using SeriesKey = std::tuple<int, std::string, Mode, Sharing, int>;

SeriesKey series_key(const Measurement& m) {
    return {m.kernel, std::string(kernel_class(kernel_of(m), case_of(m))), m.mode, m.sharing, m.sms_held};
}

constexpr std::array kTimingColumns{"us",      "p5_us",   "p25_us",   "p75_us",     "p95_us",
                                    "samples", "error",   "bound",    "sm_mhz",     "memory_mhz",
                                    "watts",   "celsius", "throttle", "beside_gbps"};

enum class ShapeKind { gemm, attention, streaming };

ShapeKind kind_of(const Shape& s) {
    if (s.m > 0) {
        return ShapeKind::gemm;
    }
    return s.seq > 0 ? ShapeKind::attention : ShapeKind::streaming;
}

void write_columns(JsonWriter& w, ShapeKind kind) {
    w.key("columns").begin_row();
    w.value("name");
    switch (kind) {
    case ShapeKind::gemm:
        for (const char* column : {"m", "n", "k", "groups", "uneven", "family", "split"}) {
            w.value(column);
        }
        break;
    case ShapeKind::attention:
        for (const char* column : {"batch", "seq", "heads", "kv_heads", "dim_qk", "dim_v", "causal"}) {
            w.value(column);
        }
        break;
    case ShapeKind::streaming:
        for (const char* column : {"rows", "columns", "read_mb", "written_mb", "launches"}) {
            w.value(column);
        }
        break;
    }
    for (const char* column : kTimingColumns) {
        w.value(column);
    }
    w.end_array();
}

void write_shape(JsonWriter& w, const Case& c, const Work& work) {
    const Shape& s = c.shape;
    switch (kind_of(s)) {
    case ShapeKind::gemm:
        w.value(s.m).value(s.n).value(s.k).value(s.groups).value(s.uneven).value(c.family);
        w.value(held_out(c.family) ? "holdout" : "train");
        break;
    case ShapeKind::attention:
        w.value(s.batch)
            .value(s.seq)
            .value(s.heads)
            .value(s.kv_heads)
            .value(s.dim_qk)
            .value(s.dim_v)
            .value(s.causal);
        break;
    case ShapeKind::streaming:
        w.value(s.rows).value(s.columns);
        w.value(static_cast<double>(work.read_bytes) / 1e6)
            .value(static_cast<double>(work.written_bytes) / 1e6);
        w.value(work.launches);
        break;
    }
}

double microseconds(Seconds s) { return s.count() * 1e6; }

void write_row(JsonWriter& w, const Measurement& m) {
    const Case& c = case_of(m);
    w.begin_row();
    w.value(op_name(c));
    write_shape(w, c, kernel_of(m).work(c));
    w.value(microseconds(m.time.median)).value(microseconds(m.time.p5)).value(microseconds(m.time.p25));
    w.value(microseconds(m.time.p75)).value(microseconds(m.time.p95)).value(m.time.samples);
    w.value(m.check.error).value(m.check.bound);
    w.value(static_cast<std::int64_t>(m.board.sm_mhz)).value(static_cast<std::int64_t>(m.board.memory_mhz));
    w.value(m.board.power_milliwatts / 1e3).value(static_cast<std::int64_t>(m.board.temperature_celsius));
    w.value(throttle_reasons(m.board.throttle_bits)).value(m.beside_bytes_per_second / 1e9);
    w.end_array();
}

void write_part(JsonWriter& w, const RunFacts& facts) {
    const Part& part = part_of(fact(facts.machine, "device"));
    w.key("part").begin_object();
    w.key("id").value(part.id);
    w.key("architecture").value("hopper");
    const std::string sms = fact(facts.machine, "sms");
    w.key("sm_count").value(sms == "unknown" ? 132 : std::stoi(sms));
    w.key("bf16_tflops").value(part.bf16_tflops).key("fp8_tflops").value(part.fp8_tflops);
    w.key("fp32_tflops").value(part.fp32_tflops).key("memory_gbps").value(part.memory_gbps);
    w.key("source").value(part.source);
    w.end_object();
}

/// Library and version, as far as the worker found out.
std::string software(const Kernel& kernel, const RunFacts& facts) {
    if (kernel.implementation == "cuBLASLt" || kernel.implementation == "cuBLAS") {
        return std::string(kernel.implementation) + " " + fact(facts.machine, "cublas");
    }
    if (kernel.implementation == "cuDNN") {
        return "cuDNN " + fact(facts.machine, "cudnn");
    }
    if (kernel.implementation == "kref") {
        return "kref " + facts.commit;
    }
    return std::string(kernel.implementation) + " " + fact(facts.machine, "cuda_runtime");
}

/// What a reader of the series has to know to compare it.
std::string_view series_note(const Measurement& m) {
    const Kernel& kernel = kernel_of(m);
    if (!kernel.accumulates && case_of(m).role == Role::wgrad) {
        return "written once in BF16; training adds to FP32, which moves more";
    }
    if (m.sharing == Sharing::limited) {
        return kernel.implementation == "kref"
                   ? "one block for each SM left, and no more"
                   : "a hint to the library's heuristics, which may use every SM; "
                     "held restricts it";
    }
    return {};
}

void write_series(JsonWriter& w, const SeriesKey& key, const std::vector<const Measurement*>& rows,
                  const RunFacts& facts) {
    const Measurement& first = *rows.front();
    const Kernel& kernel = kernel_of(first);
    const auto& [index, class_name, mode, sharing, sms_held] = key;
    // Only undisturbed, back-to-back timings are for fitting; the others say what disturbance costs.
    const bool fit = mode == Mode::hot && sharing == Sharing::alone && fits(kernel, case_of(first));
    w.begin_object();
    std::string id = "kref/" + std::string(kernel.name) + "/" + class_name + "/" + std::string(name(mode));
    if (sharing != Sharing::alone) {
        id += "/" + std::string(name(sharing)) + "-" + std::to_string(sms_held);
    }
    w.key("id").value(id);
    w.key("use").value(fit ? "fit" : "check");
    w.key("kernel").value(class_name);
    w.key("dtype").value(dtype_name(kernel.precision)).key("scaling").value(scaling_name(kernel.precision));
    w.key("software").value(software(kernel, facts));
    w.key("vintage").value(facts.date.substr(0, 7));
    w.key("date").value(facts.date);
    w.key("evidence").value("A");
    w.key("source").value("measured by kref, commit " + facts.commit);
    w.key("licence").value("Apache-2.0");
    if (const std::string_view note = series_note(first); !note.empty()) {
        w.key("note").value(note);
    }
    w.key("mode").value(name(mode)).key("sharing").value(name(sharing)).key("sms_held").value(sms_held);
    write_part(w, facts);
    write_columns(w, kind_of(case_of(first).shape));
    w.key("rows").begin_array();
    for (const Measurement* m : rows) {
        write_row(w, *m);
    }
    w.end_array();
    w.end_object();
}

void write_failure(JsonWriter& w, const Measurement& m) {
    const Case& c = case_of(m);
    w.begin_object();
    w.key("test").value(kernel_of(m).name);
    w.key("kernel").value(kernel_class(kernel_of(m), c));
    w.key("name").value(op_name(c)).key("shape").value(describe(c.shape));
    w.key("outcome").value(name(m.outcome));
    w.key("mode").value(name(m.mode)).key("sharing").value(name(m.sharing));
    if (m.outcome == Outcome::wrong) {
        w.key("error").value(m.check.error).key("bound").value(m.check.bound);
    }
    w.key("note").value(m.note.empty() ? m.check.note : m.note);
    w.end_object();
}

void write_machine(JsonWriter& w, const MachineFacts& machine) {
    w.key("machine").begin_object();
    for (const auto& [key, value] : machine) {
        const bool whole =
            !value.empty() && value.size() < 16 && value.find_first_not_of("0123456789") == std::string::npos;
        w.key(key);
        whole ? w.value(static_cast<std::int64_t>(std::stoll(value))) : w.value(value);
    }
    w.end_object();
}

template <class... Numbers> std::string print(const char* format, Numbers... numbers) {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), format, numbers...);
    return text.data();
}

} // namespace

std::string measurement_file(const RunFacts& facts, const std::vector<Measurement>& measurements) {
    std::map<SeriesKey, std::vector<const Measurement*>> series;
    for (const Measurement& m : measurements) {
        if (m.outcome == Outcome::timed) {
            series[series_key(m)].push_back(&m);
        }
    }
    JsonWriter w;
    w.begin_object();
    w.key("schema").value("chokepoint/measurements/1");
    w.key("kind").value("measured");
    w.key("about").value("Kernels timed by kref on " + fact(facts.machine, "device"));
    w.key("date").value(facts.date).key("commit").value(facts.commit);
    w.key("seed").value(std::to_string(facts.seed));
    w.key("budget_seconds").value(facts.budget.count()).key("spent_seconds").value(facts.spent.count());
    write_machine(w, facts.machine);
    w.key("series").begin_array();
    for (const auto& [key, rows] : series) {
        write_series(w, key, rows, facts);
    }
    w.end_array();
    w.key("checked").value(static_cast<std::int64_t>(std::count_if(
        measurements.begin(), measurements.end(), [](const Measurement& m) { return m.check.passed; })));
    w.key("not_timed").begin_array();
    for (const Measurement& m : measurements) {
        if (m.outcome != Outcome::timed && m.outcome != Outcome::checked) {
            write_failure(w, m);
        }
    }
    w.end_array();
    w.end_object();
    return w.text();
}

std::string summary_line(const Measurement& m) {
    const Kernel& kernel = kernel_of(m);
    const Case& c = case_of(m);
    std::string line =
        print("%-24.24s %-34s ", std::string(kernel.name).c_str(), op_name(c).c_str()) + describe(c.shape);
    line.resize(std::max<std::size_t>(line.size(), 96), ' ');
    if (m.outcome != Outcome::timed) {
        line += " " + std::string(name(m.outcome));
        if (m.outcome == Outcome::checked || m.outcome == Outcome::wrong) {
            line += print(" error %.2e, bound %.1e", m.check.error, m.check.bound);
        }
        const std::string& why = m.note.empty() ? m.check.note : m.note;
        return line + (why.empty() ? "" : ": " + why);
    }
    const Work work = kernel.work(c);
    const double seconds = m.time.median.count();
    line += " " + std::string(name(m.mode));
    if (m.sharing != Sharing::alone) {
        line += print(" %s %d", std::string(name(m.sharing)).c_str(), m.sms_held);
    }
    line +=
        print(" %10.2f us %8.1f TFLOPS %7.1f GB/s  error %.1e", seconds * 1e6, work.flops / seconds / 1e12,
              static_cast<double>(work.read_bytes + work.written_bytes) / seconds / 1e9, m.check.error);
    return line;
}

std::string closing_lines(const std::vector<Measurement>& measurements) {
    std::map<std::string, int> counts;
    std::string wrong;
    for (const Measurement& m : measurements) {
        ++counts[std::string(name(m.outcome))];
        if (m.outcome == Outcome::wrong || m.outcome == Outcome::died || m.outcome == Outcome::error) {
            wrong += summary_line(m) + "\n";
        }
    }
    std::string text;
    for (const auto& [outcome, count] : counts) {
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + outcome;
    }
    return (wrong.empty() ? "" : "WRONG OR FAILED:\n" + wrong) + (text.empty() ? "nothing ran" : text) + "\n";
}

} // namespace chokepoint::kref
