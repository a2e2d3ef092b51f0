// codegen/print_c.cpp: print_c(): one line of C++ per statement.
//
// A vector loop prints as a loop over positions: lanes are independent, so position p with lane p mod n gives the same values in any order
// of lanes. Lanes values that live outside vector loops are arrays; inside the loop `name[lane]`.
#include <voxloom/codegen/print_c.h>

#include <voxloom/codegen/kernel_names.h>
#include <voxloom/codegen/kernel_widths.h>

#include <fmt/format.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

namespace voxloom::codegen {

namespace {

using ops::Prim;

std::string float_text(double x, bool single, uint64_t bits) {
  if (!std::isfinite(x)) return single ? fmt::format("vl_bits<f32>(0x{:08x}u)", bits) : fmt::format("vl_bits<f64>((u64)0x{:016x})", bits);
  std::string s = single ? fmt::format("{}", static_cast<float>(x)) : fmt::format("{}", x);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  if (single) s += 'f';
  return std::signbit(x) ? "(" + s + ")" : s;
}

std::string literal_text(DType t, uint64_t bits) {
  if (t == DType::boolean) return bits != 0 ? "true" : "false";
  if (t == DType::f32) return float_text(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))), true, bits);
  if (t == DType::f64) return float_text(std::bit_cast<double>(bits), false, bits);
  if (is_unsigned_int(t)) return fmt::format("{}{}", bits, t == DType::u32 || t == DType::u64 ? "u" : "");
  const int shift = 64 - 8 * static_cast<int>(size_of(t));
  const int64_t v = static_cast<int64_t>(bits << shift) >> shift;
  if (v == INT64_MIN || v == INT32_MIN) return fmt::format("({} - 1)", v + 1);
  return v < 0 ? fmt::format("({})", v) : fmt::format("{}", v);
}

/// What a param may not be called: names that the printed function has, and the words of C++.
std::set<std::string> reserved() {
  std::set<std::string> words{"params", "pointers", "begin", "end", "scratch", "lane", "half", "bool", "f32", "f64"};
  for (const char* t : {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"}) words.insert(t);
  for (const char* w :
       {"alignas", "and",      "asm",      "auto",    "break",    "case",     "catch",    "char",     "class",     "const",   "continue",
        "default", "delete",   "do",       "double",  "else",     "enum",     "explicit", "export",   "extern",    "false",   "float",
        "for",     "friend",   "goto",     "if",      "inline",   "int",      "long",     "mutable",  "namespace", "new",     "noexcept",
        "not",     "nullptr",  "operator", "or",      "private",  "public",   "register", "requires", "return",    "short",   "signed",
        "sizeof",  "static",   "struct",   "switch",  "template", "this",     "throw",    "true",     "try",       "typedef", "typename",
        "union",   "unsigned", "using",    "virtual", "void",     "volatile", "while",    "xor"}) {
    words.insert(w);
  }
  return words;
}

class Printer {
 public:
  Printer(const Kernel& kernel, std::string_view name) : k_(kernel), width_(lane_widths(kernel)), text_(kernel.values.size()), name_(name) {
    array_.assign(kernel.values.size(), false);
  }

  std::string run() {
    if (!k_.name.empty()) line("// {}", one_line(k_.name));
    line("extern \"C\" void {}(const i64* params, char* const* pointers, i64 begin, i64 end, char* scratch) {{", name_);
    ++depth_;
    line("(void)params; (void)pointers; (void)begin; (void)end; (void)scratch;");
    for (size_t i = 0; i < k_.accesses.size(); ++i) base_pointer(i);
    strides(k_.body);
    text_[k_.begin] = "begin";
    text_[k_.end] = "end";
    block(k_.body);
    --depth_;
    line("}}");
    return std::move(out_);
  }

 private:
  template <class... T> void line(fmt::format_string<T...> format, T&&... args) {
    out_.append(2 * static_cast<size_t>(depth_), ' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<T>(args)...);
    out_ += '\n';
  }
  static std::string one_line(std::string s) {
    for (char& c : s) {
      if (c == '\n' || c == '\r' || c == '\\') c = ' ';
    }
    return s;
  }
  /// A C identifier that nothing else in this kernel uses.
  std::string unique(std::string wanted) {
    for (char& c : wanted) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    if (wanted.empty() || std::isdigit(static_cast<unsigned char>(wanted[0])) != 0) wanted = "p_" + wanted;
    std::string s = wanted;
    for (int n = 2; !taken_.insert(s).second; ++n) s = fmt::format("{}_{}", wanted, n);
    return s;
  }
  const char* type(Id id) const { return short_name(k_.values[id].dtype); }
  int width(Id id) const { return width_[id]; }

  /// A value where lane `lane` (or, inside its own vector loop, the current position) is meant.
  std::string use(Id id) const { return array_[id] ? text_[id] + "[lane]" : text_[id]; }

  void base_pointer(size_t i) {
    const Access& a = k_.accesses[i];
    const std::string base =
        a.scratch_slot >= 0 ? fmt::format("scratch + params[{}]", a.scratch_slot) : fmt::format("pointers[{}]", a.pointer);
    line("char* const m{} = {};  // {}{}{}{}", i, base, short_name(a.storage), a.swapped ? ", bytes swapped" : "",
         a.written ? ", written" : "", a.nontemporal ? ", past the caches" : "");
    taken_.insert(fmt::format("m{}", i));
  }

  /// Declares the strides that index terms read from params.
  void strides(const Block& statements) {
    for (const Stmt& s : statements) {
      for (const Term& t : s.terms) {
        if (t.stride_slot < 0 || !stride_[t.stride_slot].empty()) continue;
        stride_[t.stride_slot] = unique(k_.params[static_cast<size_t>(t.stride_slot)].name);
        line("const i64 {} = params[{}];", stride_[t.stride_slot], t.stride_slot);
      }
      if (s.loop) strides(s.loop->body);
      if (s.body) strides(*s.body);
    }
  }

  void block(const Block& statements) {
    for (const Stmt& s : statements) statement(s);
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::Kind::inst:
        if (s.inst.op == Prim::literal) text_[s.id] = literal_text(s.inst.type, s.inst.imm);
        else inst(s);
        break;
      case Stmt::Kind::param: {
        text_[s.id] = unique(k_.params[static_cast<size_t>(s.slot)].name);
        line("const {0} {1} = vl_param<{0}>(params, {2});", type(s.id), text_[s.id], s.slot);
        break;
      }
      case Stmt::Kind::load:
        text_[s.id] = unique(fmt::format("v{}", s.id));
        line("const {} {} = {};", type(s.id), text_[s.id], load(s));
        break;
      case Stmt::Kind::store: store(s); break;
      case Stmt::Kind::fault:
        line("if ({}) vl_store<i64>(m{}, vl_maximum<i64>({}, -9223372036854775807));", use(s.value), s.slot, use(s.terms[0].index));
        break;
      case Stmt::Kind::loop: loop(*s.loop); break;
      case Stmt::Kind::if_:
        line("if ({}) {{", use(s.value));
        ++depth_;
        block(*s.body);
        --depth_;
        line("}}");
        break;
      case Stmt::Kind::lane_fold: fold(*s.fold); break;
    }
  }

  void inst(const Stmt& s) {
    text_[s.id] = unique(fmt::format("v{}", s.id));
    const bool outside = k_.values[s.id].lanes && !in_lanes_;
    if (!outside) {
      line("const {} {} = {};", type(s.id), text_[s.id], expression(s.inst));
      return;
    }
    line("{} {}[{}];", type(s.id), text_[s.id], width(s.id));
    line("for (int lane = 0; lane < {}; ++lane) {}[lane] = {};", width(s.id), text_[s.id], expression(s.inst));
    array_[s.id] = true;
  }

  std::string expression(const ops::Inst& in) const {
    const int n = ops::arity(in.op);
    const std::string a = n > 0 ? use(in.args[0]) : "", b = n > 1 ? use(in.args[1]) : "", c = n > 2 ? use(in.args[2]) : "";
    const char* t = short_name(in.type);
    const bool real = is_float(in.type);
    switch (in.op) {
      case Prim::literal: return literal_text(in.type, in.imm);
      case Prim::add: return real ? fmt::format("{} + {}", a, b) : call2("add", t, a, b);
      case Prim::sub: return real ? fmt::format("{} - {}", a, b) : call2("sub", t, a, b);
      case Prim::mul: return real ? fmt::format("{} * {}", a, b) : call2("mul", t, a, b);
      case Prim::div: return fmt::format("{} / {}", a, b);
      case Prim::neg: return real ? "-" + a : fmt::format("vl_neg<{}>({})", t, a);
      case Prim::abs: return real ? fmt::format("vl_abs({})", a) : fmt::format("vl_abs<{}>({})", t, a);
      case Prim::minimum:
      case Prim::maximum: return real ? fmt::format("vl_{}({}, {})", prim_name(in.op), a, b) : call2(prim_name(in.op), t, a, b);
      case Prim::idiv:
      case Prim::imod:
      case Prim::shl:
      case Prim::shr: return call2(prim_name(in.op), t, a, b);
      case Prim::fma: return fmt::format("vl_fma({}, {}, {})", a, b, c);
      case Prim::sqrt:
      case Prim::floor:
      case Prim::ceil:
      case Prim::trunc:
      case Prim::rint: return fmt::format("vl_{}({})", prim_name(in.op), a);
      case Prim::eq: return fmt::format("{} == {}", a, b);
      case Prim::ne: return fmt::format("{} != {}", a, b);
      case Prim::lt: return fmt::format("{} < {}", a, b);
      case Prim::le: return fmt::format("{} <= {}", a, b);
      case Prim::select: return fmt::format("{} ? {} : {}", a, b, c);
      case Prim::bit_and: return fmt::format("({})({} & {})", t, a, b);
      case Prim::bit_or: return fmt::format("({})({} | {})", t, a, b);
      case Prim::bit_xor: return fmt::format("({})({} ^ {})", t, a, b);
      case Prim::bit_not: return in.type == DType::boolean ? "!" + a : fmt::format("({})~{}", t, a);
      case Prim::cast: return cast(in, a);
      case Prim::bitcast: return fmt::format("vl_bits<{}, {}>({})", t, type(in.args[0]), a);
      case Prim::lookup: return lookup(in.imm, a);
      case Prim::scale: return fmt::format("vl_scale({}, {})", a, b);
      case Prim::rare: return fmt::format("{} ? ({})voxloom_rare_{}({}) : {}", a, t, in.imm, c, b);
    }
    return {};
  }
  static std::string call2(const char* f, const char* t, const std::string& a, const std::string& b) {
    return fmt::format("vl_{}<{}>({}, {})", f, t, a, b);
  }
  static std::string lookup(uint64_t table, const std::string& index) {
    std::string list;
    for (float x : ops::lookup_tables[table]) {
      if (!list.empty()) list += ", ";
      list += literal_text(DType::f32, std::bit_cast<uint32_t>(x));
    }
    return fmt::format("vl_lookup({}, {})", index, list);
  }
  std::string cast(const ops::Inst& in, const std::string& a) const {
    if (in.type == DType::boolean) return a + " != 0";
    const char* f = is_float(k_.values[in.args[0]].dtype) && is_integer(in.type) ? "vl_to_int<{}>({})" : "({}){}";
    return fmt::format(fmt::runtime(f), short_name(in.type), a);
  }

  std::string address(const Stmt& s) const {
    std::string p = fmt::format("m{}", s.slot);
    for (const Term& t : s.terms) {
      const size_t item = size_of(k_.accesses[static_cast<size_t>(s.slot)].storage);
      if (t.stride_slot >= 0) p += fmt::format(" + {} * {}", use(t.index), stride_.at(t.stride_slot));
      else p += item == 1 ? " + " + use(t.index) : fmt::format(" + {} * {}", use(t.index), item);
    }
    return p;
  }
  std::string load(const Stmt& s) const {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    if (a.storage == DType::boolean) return fmt::format("vl_load_bool({})", address(s));
    return fmt::format("vl_load{}<{}>({})", a.swapped ? "_swapped" : "", short_name(a.storage), address(s));
  }
  void store(const Stmt& s) {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    line("vl_store{}<{}>({}, {});", a.swapped ? "_swapped" : "", short_name(a.storage), address(s), use(s.value));
  }

  /// Declares what a loop carries under the names of its results: they start as init and hold the state between iterations.
  void open_carried(const Carried& c) {
    text_[c.result] = unique(fmt::format("v{}", c.result));
    if (!k_.values[c.result].lanes) return line("{} {} = {};", type(c.result), text_[c.result], use(c.init));
    line("{} {}[{}];", type(c.result), text_[c.result], width(c.result));
    line("for (int lane = 0; lane < {}; ++lane) {}[lane] = {};", width(c.result), text_[c.result], use(c.init));
  }

  void loop(const Loop& l) {
    for (const Carried& c : l.carried) open_carried(c);
    const bool vector = l.lanes != 1;
    const std::string p = unique(fmt::format("j{}", l.index[0]));
    const std::string counter = l.extents.size() > 1 ? unique(fmt::format("p{}", l.index[0])) : p;
    const std::string note = l.lanes == 0 ? "  // vector loop" : vector ? fmt::format("  // vector loop of {} lanes", l.lanes) : "";
    line("for (i64 {0} = {1}; {0} < {2}; ++{0}) {{{3}", counter, use(l.lo), use(l.hi), note);
    ++depth_;
    text_[l.index[0]] = p;
    if (l.extents.size() > 1) axes(l, counter);
    if (l.lanes > 1) line("const int lane = (int)({} & {});", counter, l.lanes - 1);
    in_lanes_ = in_lanes_ || vector;
    for (const Carried& c : l.carried) phi(c, vector);
    block(l.body);
    for (const Carried& c : l.carried) next(c, vector);
    if (vector) in_lanes_ = false;
    --depth_;
    line("}}");
    for (const Carried& c : l.carried) array_[c.result] = k_.values[c.result].lanes;
  }
  void axes(const Loop& l, const std::string& counter) {
    std::string rest = counter;
    for (size_t k = 0; k < l.index.size(); ++k) {
      if (k > 0) text_[l.index[k]] = unique(fmt::format("j{}", l.index[k]));
      const bool last = k + 1 == l.index.size();
      const std::string e = last ? "" : use(l.extents[k]);
      line("const i64 {} = {}{};", text_[l.index[k]], rest, last ? "" : " % " + e);
      rest += " / " + e;
    }
  }
  /// The state is copied, so that every `next` sees the old one.
  void phi(const Carried& c, bool vector) {
    text_[c.phi] = unique(fmt::format("v{}", c.phi));
    const bool lanes = k_.values[c.phi].lanes;
    if (!lanes || vector) return line("const {} {} = {}{};", type(c.phi), text_[c.phi], text_[c.result], lanes ? "[lane]" : "");
    line("{} {}[{}];", type(c.phi), text_[c.phi], width(c.phi));
    line("for (int lane = 0; lane < {}; ++lane) {}[lane] = {}[lane];", width(c.phi), text_[c.phi], text_[c.result]);
    array_[c.phi] = true;
  }
  void next(const Carried& c, bool vector) {
    const bool lanes = k_.values[c.phi].lanes;
    if (!lanes) return line("{} = {};", text_[c.result], use(c.next));
    if (vector) return line("{}[lane] = {};", text_[c.result], use(c.next));
    line("for (int lane = 0; lane < {}; ++lane) {}[lane] = {};", width(c.phi), text_[c.result], use(c.next));
  }

  void fold(const LaneFold& f) {
    std::vector<std::string> state;
    for (Id v : f.values) {
      state.push_back(unique(fmt::format("fold{}", v)));
      line("{} {}[{}];", type(v), state.back(), f.lanes);
      line("for (int lane = 0; lane < {}; ++lane) {}[lane] = {};", f.lanes, state.back(), use(v));
    }
    line("for (int half = {}; half > 0; half /= 2) {{", f.lanes / 2);
    line("  for (int lane = 0; lane < half; ++lane) {{");
    depth_ += 2;
    in_lanes_ = true;
    for (size_t k = 0; k < state.size(); ++k) fold_input(f.left[k], state[k], "lane");
    for (size_t k = 0; k < state.size(); ++k) fold_input(f.right[k], state[k], "lane + half");
    block(f.combine);
    for (size_t k = 0; k < state.size(); ++k) line("{}[lane] = {};", state[k], use(f.outputs[k]));
    in_lanes_ = false;
    depth_ -= 2;
    line("  }}");
    line("}}");
    for (size_t k = 0; k < state.size(); ++k) {
      text_[f.results[k]] = unique(fmt::format("v{}", f.results[k]));
      line("const {} {} = {}[0];", type(f.results[k]), text_[f.results[k]], state[k]);
    }
  }
  void fold_input(Id id, const std::string& state, const char* index) {
    text_[id] = unique(fmt::format("v{}", id));
    line("const {} {} = {}[{}];", type(id), text_[id], state, index);
  }

  const Kernel& k_;
  std::vector<int> width_;
  std::vector<std::string> text_;      // by id: how a value is written
  std::map<int, std::string> stride_;  // by slot: the name of a stride
  std::vector<bool> array_;            // by id: an array of lanes, written text_[lane]
  std::set<std::string> taken_ = reserved();
  std::string name_, out_;
  int depth_ = 0;
  bool in_lanes_ = false;  // inside a vector loop or a fold: lanes values defined here are scalars
};

}  // namespace

std::string print_c(const Kernel& kernel, std::string_view name) { return Printer(kernel, name).run(); }

}  // namespace voxloom::codegen
