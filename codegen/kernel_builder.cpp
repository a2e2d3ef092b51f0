// codegen/kernel_builder.cpp: KernelBuilder.
#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/graph/error.h>

#include <map>
#include <tuple>

namespace voxloom::codegen {

namespace {
using InstKey = std::tuple<ops::Prim, DType, uint32_t, uint32_t, uint32_t, uint64_t>;
using ParamKey = int;
}  // namespace

struct KernelBuilder::Scope {
  Stmt opener;  // the loop or if that this block is the body of; unused at the root and in folds
  Block block;
  std::map<InstKey, Id> known;
  std::map<ParamKey, Id> known_params;
};

KernelBuilder::KernelBuilder(std::string name) : record_(*this) {
  kernel_.name = std::move(name);
  scopes_.push_back(std::make_unique<Scope>());
  kernel_.begin = new_value(DType::i64, false);
  kernel_.end = new_value(DType::i64, false);
}

KernelBuilder::~KernelBuilder() = default;

Id KernelBuilder::new_value(DType dtype, bool lanes) {
  kernel_.values.push_back({dtype, lanes});
  literal_bits_.emplace_back(false, 0);
  return static_cast<Id>(kernel_.values.size() - 1);
}

Stmt& KernelBuilder::append(Stmt stmt) {
  Block& block = scopes_.back()->block;
  block.push_back(std::move(stmt));
  return block.back();
}

uint32_t KernelBuilder::emit(const ops::Inst& inst) {
  ops::Inst key_inst = inst;
  const int n = ops::arity(inst.op);
  for (int k = n; k < 3; ++k) key_inst.args[static_cast<size_t>(k)] = 0;
  const InstKey key{key_inst.op, key_inst.type, key_inst.args[0], key_inst.args[1], key_inst.args[2], key_inst.imm};
  // bitcast and cast of different operand dtypes never collide: the operand id fixes its dtype.
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (auto it = (*scope)->known.find(key); it != (*scope)->known.end()) return it->second;
  }
  bool lanes = false;
  for (int k = 0; k < n; ++k) lanes = lanes || kernel_.values[key_inst.args[static_cast<size_t>(k)]].lanes;
  Stmt stmt;
  stmt.kind = Stmt::Kind::inst;
  stmt.id = new_value(key_inst.type, lanes);
  stmt.inst = key_inst;
  scopes_.back()->known.emplace(key, stmt.id);
  if (key_inst.op == ops::Prim::literal) {
    literal_bits_[stmt.id] = {true, key_inst.imm};
  } else {
    ++instructions_;
  }
  return append(std::move(stmt)).id;
}

bool KernelBuilder::literal(uint32_t id, uint64_t& bits) const {
  if (!literal_bits_[id].first) return false;
  bits = literal_bits_[id].second;
  return true;
}

int KernelBuilder::add_param(DType dtype, std::string name) {
  kernel_.params.push_back({dtype, std::move(name)});
  return static_cast<int>(kernel_.params.size() - 1);
}

Id KernelBuilder::read_param(int slot) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (auto it = (*scope)->known_params.find(slot); it != (*scope)->known_params.end()) return it->second;
  }
  // Params are read at the root so that every scope shares them.
  Stmt stmt;
  stmt.kind = Stmt::Kind::param;
  stmt.id = new_value(kernel_.params[static_cast<size_t>(slot)].dtype, false);
  stmt.slot = slot;
  const Id id = stmt.id;
  scopes_.front()->known_params.emplace(slot, id);
  scopes_.front()->block.push_back(std::move(stmt));
  return id;
}

int KernelBuilder::add_access(Access access) {
  kernel_.accesses.push_back(access);
  return static_cast<int>(kernel_.accesses.size() - 1);
}

Id KernelBuilder::load(int access, std::vector<Term> terms) {
  bool lanes = false;
  for (const Term& t : terms) lanes = lanes || kernel_.values[t.index].lanes;
  Stmt stmt;
  stmt.kind = Stmt::Kind::load;
  stmt.slot = access;
  stmt.terms = std::move(terms);
  stmt.id = new_value(kernel_.accesses[static_cast<size_t>(access)].storage, lanes);
  ++instructions_;
  return append(std::move(stmt)).id;
}

void KernelBuilder::store(int access, std::vector<Term> terms, Id value) {
  kernel_.accesses[static_cast<size_t>(access)].written = true;
  Stmt stmt;
  stmt.kind = Stmt::Kind::store;
  stmt.slot = access;
  stmt.terms = std::move(terms);
  stmt.value = value;
  ++instructions_;
  append(std::move(stmt));
}

void KernelBuilder::fault(int access, Id condition, Id index) {
  kernel_.accesses[static_cast<size_t>(access)].written = true;
  Stmt stmt;
  stmt.kind = Stmt::Kind::fault;
  stmt.slot = access;
  stmt.terms = {{index, -1}};
  stmt.value = condition;
  ++instructions_;
  append(std::move(stmt));
}

std::vector<Id> KernelBuilder::begin_loop(Id lo, Id hi, std::vector<Id> extents, int lanes, bool seldom) {
  auto scope = std::make_unique<Scope>();
  scope->opener.kind = Stmt::Kind::loop;
  scope->opener.loop = std::make_unique<Loop>();
  Loop& loop = *scope->opener.loop;
  loop.lo = lo;
  loop.hi = hi;
  loop.lanes = lanes;
  loop.seldom = seldom;
  const size_t axes = extents.empty() ? 1 : extents.size();
  loop.extents = std::move(extents);
  for (size_t k = 0; k < axes; ++k) loop.index.push_back(new_value(DType::i64, lanes != 1));
  std::vector<Id> index = loop.index;
  scopes_.push_back(std::move(scope));
  return index;
}

Id KernelBuilder::carry(Id init, bool lanes) {
  Loop& loop = *scopes_.back()->opener.loop;
  const DType dtype = kernel_.values[init].dtype;
  const bool is_lanes = lanes || loop.lanes != 1 || kernel_.values[init].lanes;
  loop.carried.push_back({init, new_value(dtype, is_lanes), 0, new_value(dtype, is_lanes)});
  return loop.carried.back().phi;
}

std::vector<Id> KernelBuilder::end_loop(const std::vector<Id>& next) {
  auto scope = std::move(scopes_.back());
  scopes_.pop_back();
  Loop& loop = *scope->opener.loop;
  internal_check(next.size() == loop.carried.size(), "end_loop: one next value per carried value");
  std::vector<Id> results;
  for (size_t k = 0; k < next.size(); ++k) {
    loop.carried[k].next = next[k];
    results.push_back(loop.carried[k].result);
  }
  loop.body = std::move(scope->block);
  append(std::move(scope->opener));
  return results;
}

void KernelBuilder::begin_if(Id condition) {
  auto scope = std::make_unique<Scope>();
  scope->opener.kind = Stmt::Kind::if_;
  scope->opener.value = condition;
  scopes_.push_back(std::move(scope));
}

void KernelBuilder::end_if() {
  auto scope = std::move(scopes_.back());
  scopes_.pop_back();
  scope->opener.body = std::make_unique<Block>(std::move(scope->block));
  append(std::move(scope->opener));
}

void KernelBuilder::begin_fold(const std::vector<Id>& values, std::vector<Id>& left, std::vector<Id>& right) {
  scopes_.push_back(std::make_unique<Scope>());
  for (Id v : values) left.push_back(new_value(kernel_.values[v].dtype, true));
  for (Id v : values) right.push_back(new_value(kernel_.values[v].dtype, true));
}

std::vector<Id> KernelBuilder::end_fold(int lanes, const std::vector<Id>& values, const std::vector<Id>& left, const std::vector<Id>& right,
                                        const std::vector<Id>& outputs) {
  auto scope = std::move(scopes_.back());
  scopes_.pop_back();
  auto fold = std::make_unique<LaneFold>();
  fold->lanes = lanes;
  fold->values = values;
  fold->left = left;
  fold->right = right;
  fold->combine = std::move(scope->block);
  fold->outputs = outputs;
  for (Id v : values) fold->results.push_back(new_value(kernel_.values[v].dtype, false));
  std::vector<Id> results = fold->results;
  Stmt stmt;
  stmt.kind = Stmt::Kind::lane_fold;
  stmt.fold = std::move(fold);
  append(std::move(stmt));
  return results;
}

Kernel KernelBuilder::finish() {
  internal_check(scopes_.size() == 1, "finish: an open loop or if");
  kernel_.body = std::move(scopes_.front()->block);
  return std::move(kernel_);
}

}  // namespace voxloom::codegen
