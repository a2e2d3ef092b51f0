// codegen/kernel_text.cpp: canonical_text: what the code of a kernel depends on, and nothing else.
//
// One line per statement, ids numbered in order of definition (begin is 0, end is 1), so kernels that differ in names of params, in the
// kernel's name or in ids that nothing uses have the same text. Computed at every compile, warm ones too: no streams, no formatting library.
#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/codegen/kernel_names.h>

#include <bit>
#include <charconv>

namespace voxloom::codegen {

namespace {

class TextWriter {
 public:
  explicit TextWriter(const Kernel& kernel) : kernel_(kernel), number_(kernel.values.size(), undefined) {}

  std::string write() {
    out_.reserve(256 + 32 * kernel_.values.size());
    head();
    define(kernel_.begin);
    define(kernel_.end);
    out_ += '\n';
    block(kernel_.body);
    return std::move(out_);
  }

 private:
  static constexpr uint32_t undefined = ~uint32_t{0};

  void integer(int64_t v) {
    char buffer[24];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
  }
  void hex(uint64_t v) {
    char buffer[24];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v, 16).ptr);
  }
  /// Lanes values are v, uniform ones s; a malformed kernel still has a text: ids without a definition print as "?".
  void use(Id id) {
    if (id >= number_.size() || number_[id] == undefined) {
      out_ += " ?";
      return;
    }
    out_ += kernel_.values[id].lanes ? " v" : " s";
    integer(number_[id]);
  }
  void define(Id id) {
    if (id < number_.size()) number_[id] = next_++;
    use(id);
  }
  void uses(const std::vector<Id>& ids) {
    for (Id id : ids) use(id);
  }

  void head() {
    out_ += "params";
    for (const Param& p : kernel_.params) (out_ += ' ') += short_name(p.dtype);
    for (const Access& a : kernel_.accesses) {
      (out_ += "\naccess ") += short_name(a.storage);
      if (a.swapped) out_ += " swapped";
      if (a.written) out_ += " written";
      if (a.nontemporal) out_ += " nontemporal";
      out_ += a.scratch_slot >= 0 ? " scratch " : " pointer ";
      integer(a.scratch_slot >= 0 ? a.scratch_slot : a.pointer);
    }
    out_ += "\npointers ";
    integer(kernel_.pointer_count);
  }

  void terms(const Stmt& s) {
    out_ += " @";
    integer(s.slot);
    for (const Term& t : s.terms) {
      use(t.index);
      if (t.stride_slot >= 0) {
        out_ += '*';
        integer(t.stride_slot);
      }
    }
  }

  void inst(const Stmt& s) {
    define(s.id);
    (out_ += ' ') += prim_name(s.inst.op);
    (out_ += '.') += short_name(s.inst.type);
    const int n = ops::arity(s.inst.op);
    for (int k = 0; k < n; ++k) use(s.inst.args[static_cast<size_t>(k)]);
    if (s.inst.op == ops::Prim::literal || s.inst.op == ops::Prim::rare) {
      out_ += ' ';
      hex(s.inst.imm);
    }
    // The contents, since they are part of the code.
    if (s.inst.op == ops::Prim::lookup) {
      for (float x : ops::lookup_tables[s.inst.imm]) {
        out_ += ' ';
        hex(std::bit_cast<uint32_t>(x));
      }
    }
  }

  void loop(const Loop& l) {
    out_ += "loop ";
    integer(l.lanes);
    if (l.seldom) out_ += " seldom";
    use(l.lo);
    use(l.hi);
    out_ += " /";
    uses(l.extents);
    out_ += " index";
    for (Id id : l.index) define(id);
    for (const Carried& c : l.carried) {
      out_ += " carry";
      use(c.init);
      define(c.phi);
    }
    out_ += '\n';
    block(l.body);
    out_ += "next";
    for (const Carried& c : l.carried) use(c.next);
    out_ += " result";
    for (const Carried& c : l.carried) define(c.result);
  }

  void fold(const LaneFold& f) {
    out_ += "fold ";
    integer(f.lanes);
    uses(f.values);
    out_ += " left";
    for (Id id : f.left) define(id);
    out_ += " right";
    for (Id id : f.right) define(id);
    out_ += '\n';
    block(f.combine);
    out_ += "out";
    uses(f.outputs);
    out_ += " result";
    for (Id id : f.results) define(id);
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::Kind::inst: inst(s); break;
      case Stmt::Kind::param:
        define(s.id);
        out_ += " param ";
        integer(s.slot);
        break;
      case Stmt::Kind::load:
        define(s.id);
        terms(s);
        break;
      case Stmt::Kind::store:
        out_ += "store";
        terms(s);
        out_ += " =";
        use(s.value);
        break;
      case Stmt::Kind::fault:
        out_ += "fault";
        terms(s);
        out_ += " if";
        use(s.value);
        break;
      case Stmt::Kind::loop: loop(*s.loop); break;
      case Stmt::Kind::if_:
        out_ += "if";
        use(s.value);
        out_ += '\n';
        block(*s.body);
        out_ += "end";
        break;
      case Stmt::Kind::lane_fold: fold(*s.fold); break;
    }
    out_ += '\n';
  }

  void block(const Block& statements) {
    for (const Stmt& s : statements) statement(s);
  }

  const Kernel& kernel_;
  std::vector<uint32_t> number_;
  uint32_t next_ = 0;
  std::string out_;
};

}  // namespace

std::string canonical_text(const Kernel& kernel) { return TextWriter(kernel).write(); }

}  // namespace voxloom::codegen
