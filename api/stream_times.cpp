// api/stream_times.cpp: times of a pass to rows of a profile.
#include <voxloom/api/stream_times.h>

namespace voxloom::detail {
void add(std::vector<Traffic>& total, const std::vector<Traffic>& block) {
  for (size_t k = 0; k < total.size(); ++k) {
    total[k].seconds += block[k].seconds;
    total[k].bytes += block[k].bytes;
  }
}

std::vector<StepRecord> step_records(const Times& times, const PassLabels& labels, int workers) {
  std::vector<StepRecord> records;
  const auto row = [&](const std::string& name, StepKind kind, double seconds, int64_t read, int64_t written) {
    records.push_back({.name = labels.prefix + name,
                       .kind = kind,
                       .seconds = seconds / workers,
                       .calls = times.blocks,
                       .bytes_read = read,
                       .bytes_written = written,
                       .detail = labels.detail});
  };
  for (size_t k = 0; k < times.read.size(); ++k) {
    if (!labels.reads[k].empty()) row(labels.reads[k], StepKind::io_read, times.read[k].seconds, times.read[k].bytes, 0);
  }
  for (const auto& [step, after_stream] : labels.kernels) {
    StepRecord r = times.kernels[step];
    r.name = labels.prefix + r.name;
    r.seconds /= workers;
    r.detail = after_stream ? "after the last block" : labels.detail;
    records.push_back(std::move(r));
  }
  for (size_t k = 0; k < times.write.size(); ++k) {
    if (!labels.writes[k].empty()) row(labels.writes[k], StepKind::io_write, times.write[k].seconds, 0, times.write[k].bytes);
  }
  return records;
}

}  // namespace voxloom::detail
