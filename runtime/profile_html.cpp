// runtime/profile_html.cpp: the profile as one page: shares of time, steps, the machine's limits, a timeline, memory, compile passes.
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/profile.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace voxloom {
namespace {

/// CSS class of each cost class; the colours are in `style`.
const char* css_of(CostClass kind) {
  constexpr const char* names[] = {"cpu", "gpu", "tr", "io", "co", "ov"};
  return names[static_cast<size_t>(kind)];
}

constexpr const char* style = R"(
:root{--bg:#f7f8fa;--card:#fff;--ink:#1c2430;--soft:#667085;--line:#e4e7ec;--cpu:#3667d6;--gpu:#1f9d72;--tr:#d9822b;--io:#8457c9;
--co:#c2527a;--ov:#98a2b3}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b2129;--ink:#e6eaf0;--soft:#98a2b3;--line:#2c343f;--cpu:#6b93f0;
--gpu:#46c497;--tr:#eea24f;--io:#ad87e8;--co:#e08aa9;
--ov:#7b8698}}*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1240px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;margin:0 0 2px}h2{font-size:17px;margin:36px 0 12px}
p.sub{color:var(--soft);margin:0 0 24px}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.card,.box{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:13px}
.stack{display:flex;height:26px;border-radius:6px;overflow:hidden;gap:2px}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin-top:10px;color:var(--soft);font-size:13px}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}.cpu{background:var(--cpu);fill:var(--cpu)}
.gpu{background:var(--gpu);fill:var(--gpu)}.tr{background:var(--tr);fill:var(--tr)}.io{background:var(--io);fill:var(--io)}
.co{background:var(--co);fill:var(--co)}.ov{background:var(--ov);fill:var(--ov)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--soft);font-size:13px;text-align:right;padding:6px 10px;border-bottom:1px solid var(--line);
white-space:nowrap}td{text-align:right;padding:7px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
tr:last-child td{border-bottom:0}th.l,td.l{text-align:left}
td.name{white-space:normal;overflow-wrap:anywhere;min-width:240px;font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace;
font-size:13px}td.name small{display:block;color:var(--soft);font-family:system-ui,sans-serif}
.bar{position:relative;width:84px;height:8px;background:var(--line);border-radius:4px;display:inline-block;vertical-align:middle;
margin-right:8px}.bar i{display:block;height:8px;border-radius:4px}svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}svg .ink{fill:var(--ink)}svg .grid{stroke:var(--line)}
svg .roof{stroke:var(--ink);fill:none;stroke-width:1.6}svg .edge{stroke:var(--card);stroke-width:1.5}
.note{color:var(--soft);font-size:13px;margin:8px 0 0}
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

/// Appends formatted text to a page.
class Page {
 public:
  template <class... Args> void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  void raw(std::string_view text) { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

void put_card(Page& page, const std::string& value, std::string_view label) {
  page.put("<div class=card><b>{}</b><span>{}</span></div>\n", escaped(value), label);
}

void put_head(Page& page, const Profile& p) {
  const std::string name = escaped(p.function.empty() ? "function" : p.function);
  page.put(
      "<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\n");
  page.put("<title>Profile of {}</title><style>", name);
  page.raw(style);
  page.put("</style></head><body><main>\n<h1>{}</h1>\n<p class=sub>voxloom profile</p>\n<div class=cards>\n", name);
  put_card(page, fmt::format("{}", p.calls), p.calls == 1 ? "call" : "calls");
  put_card(page, format_seconds(p.seconds), "in calls");
  if (p.calls > 1) put_card(page, format_seconds(p.seconds / static_cast<double>(p.calls)), "per call");
  if (p.compile_seconds > 0) put_card(page, format_seconds(p.compile_seconds), "to compile");
  put_card(page, fmt::format("{}", p.threads), p.threads == 1 ? "thread" : "threads");
  if (p.peak_measured > 0 || p.peak_planned > 0) {
    put_card(page, format_size(p.peak_measured > 0 ? p.peak_measured : p.peak_planned),
             p.peak_measured > 0 ? "peak memory" : "peak memory, planned");
  }
  page.raw("</div>\n");
}

void put_shares(Page& page, const Profile& p) {
  double total = 0;
  for (const CostClass kind : all_cost_classes) total += p.seconds_of(kind);
  if (total <= 0) return;
  page.raw("<h2>Where the time went</h2>\n<div class=box><div class=stack>");
  for (const CostClass kind : all_cost_classes) {
    const double part = share(p.seconds_of(kind), total);
    if (part > 0) page.put("<div class={} style=\"width:{:.3f}%\"></div>", css_of(kind), 100 * part);
  }
  page.raw("</div>\n<div class=legend>");
  for (const CostClass kind : all_cost_classes) {
    const double t = p.seconds_of(kind);
    if (t > 0)
      page.put("<span><i class={}></i>{} {:.1f} % ({})</span>", css_of(kind), name_of(kind), 100 * share(t, total), format_seconds(t));
  }
  page.raw("</div></div>\n");
}

void put_bar(Page& page, const char* css, double part) {
  page.put("<span class=bar><i class={} style=\"width:{:.1f}%\"></i></span>", css, 100 * std::clamp(part, 0.0, 1.0));
}

/// A table cell, with a dash where there is nothing to tell.
void put_cell(Page& page, bool known, const std::string& text) { page.put("<td>{}", known ? text : "-"); }

void put_steps(Page& page, const Profile& p) {
  if (p.steps.empty()) return;
  std::vector<const StepRecord*> order;
  for (const StepRecord& step : p.steps) order.push_back(&step);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->seconds > b->seconds; });
  double total = 0;
  for (const CostClass kind : all_cost_classes) total += p.seconds_of(kind);
  page.raw(
      "<h2>Steps</h2>\n<div class=\"box wide\"><table><tr><th class=l>step<th class=l>kind<th>runs<th>time<th class=l>share of "
      "time<th>read<th>written"
      "<th>GB/s<th>GFLOP/s<th class=l>of the machine</tr>\n");
  for (const StepRecord* step : order) {
    const double t = step->seconds;
    const double machine = p.machine_share(*step);
    page.put("<tr><td class=\"l name\">{}", escaped(step->name));
    if (!step->detail.empty()) page.put("<small>{}</small>", escaped(step->detail));
    page.put("<td class=l>{}<td>{}<td>{}<td class=l>", name_of(step->kind), step->calls, format_seconds(t));
    put_bar(page, css_of(step->cost_class()), share(t, total));
    page.put("{:.1f} %", 100 * share(t, total));
    put_cell(page, step->bytes_read > 0, format_size(step->bytes_read));
    put_cell(page, step->bytes_written > 0, format_size(step->bytes_written));
    put_cell(page, step->bytes() > 0, fmt::format("{:.2f}", share(static_cast<double>(step->bytes()) * 1e-9, t)));
    put_cell(page, step->flops > 0, fmt::format("{:.2f}", share(static_cast<double>(step->flops) * 1e-9, t)));
    page.raw("<td class=l>");
    if (machine > 0) {
      put_bar(page, css_of(step->cost_class()), machine);
      page.put("{:.0f} %", 100 * machine);
    }
    page.raw("</tr>\n");
  }
  page.raw("</table></div>\n");
}

/// A chart with two logarithmic axes.
struct LogChart {
  double x_low, x_high, y_low, y_high;
  static constexpr double left = 70, right = 1040, top = 20, bottom = 330;
  double x(double v) const { return left + (right - left) * (std::log10(v) - x_low) / (x_high - x_low); }
  double y(double v) const { return bottom - (bottom - top) * (std::log10(v) - y_low) / (y_high - y_low); }
};

void put_grid(Page& page, const LogChart& chart) {
  for (double e = std::ceil(chart.x_low); e <= chart.x_high; ++e) {
    const double x = chart.x(std::pow(10, e));
    page.put("<line class=grid x1={0:.1f} x2={0:.1f} y1={1} y2={2} /><text x={0:.1f} y={3} text-anchor=middle>{4:g}</text>", x, chart.top,
             chart.bottom, chart.bottom + 18, std::pow(10, e));
  }
  for (double e = std::ceil(chart.y_low); e <= chart.y_high; ++e) {
    const double y = chart.y(std::pow(10, e));
    page.put("<line class=grid x1={1} x2={2} y1={0:.1f} y2={0:.1f} /><text x={3} y={4:.1f} text-anchor=end>{5:g}</text>", y, chart.left,
             chart.right, chart.left - 8, y + 4, std::pow(10, e));
  }
  page.put("<text x={} y={} text-anchor=middle>operations per byte moved</text>", (chart.left + chart.right) / 2, chart.bottom + 40);
  page.put("<text x=16 y={0} text-anchor=middle transform=\"rotate(-90 16 {0})\">GFLOP/s</text>", (chart.top + chart.bottom) / 2);
}

/// Each computing step as a point under the machine's roof: slanted where memory is the limit, flat where arithmetic is.
void put_roofline(Page& page, const Profile& p) {
  const double roof = p.roofline.flops_per_second_all * 1e-9, bandwidth = p.roofline.bytes_per_second_all * 1e-9;
  std::vector<const StepRecord*> shown;
  double least = roof;
  double x_min = 0.05, x_max = 100;
  for (const StepRecord& step : p.steps) {
    if (step.cost_class() != CostClass::cpu || step.flops <= 0 || step.bytes() <= 0 || step.seconds <= 0) continue;
    shown.push_back(&step);
    const double intensity = static_cast<double>(step.flops) / static_cast<double>(step.bytes());
    x_min = std::min(x_min, intensity / 2), x_max = std::max(x_max, intensity * 2);
    least = std::min(least, static_cast<double>(step.flops) * 1e-9 / step.seconds);
  }
  if (shown.empty() || roof <= 0 || bandwidth <= 0) return;
  const double y_min = std::min(least / 2, bandwidth * x_min);
  const LogChart chart{std::log10(x_min), std::log10(x_max), std::log10(y_min), std::log10(roof * 2)};
  page.raw("<h2>Against the machine's limits</h2>\n<div class=box><svg viewBox=\"0 0 1080 380\" role=img aria-label=\"roofline chart\">");
  put_grid(page, chart);
  const double knee = std::clamp(roof / bandwidth, x_min, x_max);
  page.put("<path class=roof d=\"M{:.1f} {:.1f} L{:.1f} {:.1f} L{:.1f} {:.1f}\"/>", chart.x(x_min), chart.y(bandwidth * x_min),
           chart.x(knee), chart.y(std::min(roof, bandwidth * knee)), chart.x(x_max), chart.y(std::min(roof, bandwidth * x_max)));
  double total = 0;
  for (const StepRecord* step : shown) total += step->seconds;
  for (const StepRecord* step : shown) {
    const double intensity = static_cast<double>(step->flops) / static_cast<double>(step->bytes());
    const double rate = static_cast<double>(step->flops) * 1e-9 / step->seconds;
    page.put(
        "<circle class=\"cpu edge\" cx={:.1f} cy={:.1f} r={:.1f}><title>{}: {:.2f} GFLOP/s, {:.2f} operations per byte</title></circle>",
        chart.x(intensity), chart.y(rate), 4 + 10 * std::sqrt(share(step->seconds, total)), escaped(step->name), rate, intensity);
    const bool right_half = chart.x(intensity) > (chart.left + chart.right) / 2;
    page.put("<text x={:.1f} y={:.1f} text-anchor={}>{}</text>", chart.x(intensity) + (right_half ? -18 : 18), chart.y(rate) + 4,
             right_half ? "end" : "start", escaped(step->name.size() <= 40 ? step->name : step->name.substr(0, 37) + "..."));
  }
  page.put(
      "</svg><p class=note>Measured with {} threads: {:.1f} GB/s and {:.0f} GFLOP/s in float32. One thread: {:.1f} GB/s and {:.0f} "
      "GFLOP/s. "
      "The size of a point is the step's share of the time; data that stay in a cache may lie above the slanted line.</p></div>\n",
      p.roofline.threads, bandwidth, roof, p.roofline.bytes_per_second_one * 1e-9, p.roofline.flops_per_second_one * 1e-9);
}

void put_timeline(Page& page, const Profile& p) {
  constexpr size_t most = 4000;  // a browser draws these without trouble; the trace file has them all
  double end = 0;
  int32_t threads = 0;
  for (const TraceEvent& event : p.trace) end = std::max(end, event.start + event.seconds), threads = std::max(threads, event.thread + 1);
  if (end <= 0 || threads > 256) return;
  constexpr double left = 80, width = 980, row = 22;
  const double height = row * threads + 30;
  page.put("<h2>Timeline</h2>\n<div class=box><svg viewBox=\"0 0 1080 {:.0f}\" role=img aria-label=timeline>", height);
  for (int32_t t = 0; t < threads; ++t) {
    page.put("<text x={} y={:.1f} text-anchor=end>{}</text>", left - 8, row * t + 15, t == 0 ? "caller" : fmt::format("worker {}", t));
  }
  const size_t shown = std::min(most, p.trace.size());
  for (size_t i = 0; i < shown; ++i) {
    const TraceEvent& event = p.trace[i];
    if (event.step < 0 || static_cast<size_t>(event.step) >= p.steps.size() || event.thread < 0) continue;
    const StepRecord& step = p.steps[static_cast<size_t>(event.step)];
    page.put("<rect class={} x={:.2f} y={:.1f} width={:.2f} height={} rx=2><title>{}: {}</title></rect>", css_of(step.cost_class()),
             left + width * event.start / end, row * event.thread + 2, std::max(0.5, width * event.seconds / end), row - 5,
             escaped(step.name), format_seconds(event.seconds));
  }
  for (int k = 0; k <= 4; ++k) {
    const char* const anchor = k == 0 ? "start" : k == 4 ? "end" : "middle";
    page.put("<text x={:.1f} y={:.1f} text-anchor={}>{}</text>", left + width * k / 4, height - 8, anchor, format_seconds(end * k / 4));
  }
  page.raw("</svg>");
  if (shown < p.trace.size()) page.put("<p class=note>The first {} of {} runs are drawn.</p>", shown, p.trace.size());
  page.raw("</div>\n");
}

void put_memory(Page& page, const Profile& p) {
  const int64_t highest = std::max({p.peak_planned, p.peak_measured, p.budget});
  if (highest > 0) {
    page.raw("<h2>Peak memory</h2>\n<div class=\"box wide\"><table>\n");
    const auto put_row = [&](const char* name, const char* css, int64_t bytes) {
      if (bytes <= 0) return;
      page.put(
          "<tr><td class=l>{}<td class=l style=\"width:70%\"><span class=bar style=\"width:100%\"><i class={} "
          "style=\"width:{:.1f}%\"></i></span><td>{}</tr>\n",
          name, css, 100 * share(static_cast<double>(bytes), static_cast<double>(highest)), format_size(bytes));
    };
    put_row("planned", "cpu", p.peak_planned);
    put_row("measured", "gpu", p.peak_measured);
    put_row("budget", "ov", p.budget);
    page.raw("</table></div>\n");
  }
  if (p.counters.empty()) return;
  page.raw("<h2>Counters</h2>\n<div class=\"box wide\"><table>\n");
  for (const auto& [name, value] : p.counters) page.put("<tr><td class=l>{}<td>{}</tr>\n", escaped(name), value);
  page.raw("</table></div>\n");
}

void put_passes(Page& page, const Profile& p) {
  if (p.passes.empty() && p.kernels.empty()) return;
  double longest = 0;
  for (const PassRecord& pass : p.passes) longest = std::max(longest, pass.seconds);
  for (const KernelRecord& kernel : p.kernels) longest = std::max(longest, kernel.seconds);
  page.raw("<h2>Compilation</h2>\n<div class=\"box wide\"><table><tr><th class=l>pass or kernel<th class=l>effect<th class=l>time</tr>\n");
  const auto put_time = [&](double seconds) {
    page.raw("<td class=l>");
    put_bar(page, "co", share(seconds, longest));
    page.put("{}</tr>\n", format_seconds(seconds));
  };
  for (const PassRecord& pass : p.passes) {
    page.put("<tr><td class=l>{}<td class=l>{}", escaped(pass.name), pass.changed ? "changed the graph" : "-");
    put_time(pass.seconds);
  }
  for (const KernelRecord& kernel : p.kernels) {
    page.put("<tr><td class=\"l name\">{}", escaped(kernel.name));
    if (!kernel.why.empty()) page.put("<small>{}</small>", escaped(kernel.why));
    page.put("<td class=l>{} of code from {}", format_size(kernel.code_bytes), name_of(kernel.origin));
    put_time(kernel.seconds);
  }
  page.raw("</table></div>\n");
}

}  // namespace

std::string Profile::html() const {
  Page page;
  put_head(page, *this);
  put_shares(page, *this);
  put_steps(page, *this);
  put_roofline(page, *this);
  put_timeline(page, *this);
  put_memory(page, *this);
  put_passes(page, *this);
  page.raw("</main></body></html>\n");
  return page.take();
}

}  // namespace voxloom
