// codegen/kernel_widths.cpp: lane_widths().
#include <voxloom/codegen/kernel_widths.h>

#include <algorithm>

namespace voxloom::codegen {

namespace {

/// Widths spread from vector loops and folds through carried values and instructions until nothing changes; values carried through a
/// scalar loop may learn their width from a loop further down, hence the repetition (two or three rounds).
class Widths {
 public:
  explicit Widths(const Kernel& kernel) : k_(kernel), width_(kernel.values.size(), 0) {
    for (size_t id = 0; id < width_.size(); ++id) width_[id] = k_.values[id].lanes ? 0 : 1;
  }
  std::vector<int> run() {
    do {
      changed_ = false;
      block(k_.body, 0);
    } while (changed_);
    return std::move(width_);
  }

 private:
  void set(Id id, int width) {
    if (width == 0 || !k_.values[id].lanes || width_[id] == width) return;
    width_[id] = width;
    changed_ = true;
  }
  void meet(std::initializer_list<Id> ids) {
    int width = 0;
    for (Id id : ids) width = k_.values[id].lanes ? std::max(width, width_[id]) : width;
    for (Id id : ids) set(id, width);
  }
  void block(const Block& statements, int width) {
    for (const Stmt& s : statements) statement(s, width);
  }
  void statement(const Stmt& s, int width) {
    switch (s.kind) {
      case Stmt::Kind::inst:
        set(s.id, width);
        for (int k = 0; k < ops::arity(s.inst.op); ++k) meet({s.id, s.inst.args[static_cast<size_t>(k)]});
        break;
      case Stmt::Kind::load: set(s.id, width); break;
      case Stmt::Kind::param:
      case Stmt::Kind::store:
      case Stmt::Kind::fault: break;
      case Stmt::Kind::loop: loop(*s.loop, width); break;
      case Stmt::Kind::if_: block(*s.body, width); break;
      case Stmt::Kind::lane_fold:
        for (Id v : s.fold->values) set(v, s.fold->lanes);
        break;
    }
  }
  void loop(const Loop& l, int width) {
    const int inner = l.lanes == 1 ? width : l.lanes;
    if (l.lanes > 1) set(l.index[0], l.lanes);
    for (const Carried& c : l.carried) {
      if (l.lanes > 1) set(c.phi, l.lanes);
      meet({c.phi, c.init, c.result});
    }
    block(l.body, inner);
    for (const Carried& c : l.carried) meet({c.phi, c.next, c.result});
  }

  const Kernel& k_;
  std::vector<int> width_;
  bool changed_ = false;
};

}  // namespace

std::vector<int> lane_widths(const Kernel& kernel) { return Widths(kernel).run(); }

}  // namespace voxloom::codegen
