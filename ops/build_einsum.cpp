// ops/build_einsum.cpp: einsum: its notation, and the contraction of its operands from left to right.
#include <voxloom/ops/build_product.h>
#include <voxloom/ops/infer.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace voxloom {
namespace {

using products::Labelled;
using Labels = std::vector<int>;

constexpr size_t most_characters = 512, most_operands = 32;
constexpr int dots = -1;         // "..." in parsed subscripts
constexpr int first_dot = 1000;  // label of the last axis of "...", then the one before it
constexpr int most_axes = 8;

class Einsum {
 public:
  Einsum(std::string_view text, const std::vector<Operand>& operands, const ProductOptions& options)
      : text_(text), options_(options), origin_(operands.empty() ? OriginId{} : operands[0].origin()) {
    if (text.size() > most_characters)
      fail("has " + std::to_string(text.size()) + " characters; " + std::to_string(most_characters) + " are the most");
    if (operands.empty() || operands.size() > most_operands)
      fail(std::to_string(operands.size()) + " operands; 1 to " + std::to_string(most_operands) + " are possible");
    parse(operands.size());
    const auto values = products::promoted(operands);
    for (size_t k = 0; k < values.size(); ++k) operands_.push_back(labelled(values[k], terms_[k], k));
    result_ = result_labels();
  }

  Expr run() {
    Labelled done = reduced(operands_[0], 1, {});
    for (size_t k = 1; k < operands_.size(); ++k) {
      const Labelled next = reduced(operands_[k], k + 1, done.labels);
      const Labels kept = needed(done.labels, next.labels, k + 1);
      done = {products::contracted(done, next, kept, options_, origin_), kept};
    }
    return products::summed(done, result_, options_, origin_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    fail_user(ErrorCode::usage, "einsum", "'" + std::string(text_.substr(0, 80)) + "': " + why, origin_);
  }
  [[noreturn]] void fail_at(size_t at, const std::string& why) const { fail(why + " at character " + std::to_string(at + 1)); }

  // ---- notation: terms of letters and "...", separated by commas, then perhaps "->" and a term ----
  void parse(size_t count) {
    terms_.emplace_back();
    for (size_t k = 0; k < text_.size(); ++k) {
      const char c = text_[k];
      if (c == ' ') continue;
      Labels& term = explicit_ ? output_ : terms_.back();
      if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
        term.push_back(c);
      } else if (text_.substr(k, 3) == "...") {
        if (std::count(term.begin(), term.end(), dots) != 0) fail_at(k, "'...' twice in one term");
        term.push_back(dots);
        k += 2;
      } else if (c == ',' && !explicit_) {
        terms_.emplace_back();
      } else if (text_.substr(k, 2) == "->" && !explicit_) {
        explicit_ = true;
        ++k;
      } else {
        fail_at(k, std::string("'") + c + "' is no label (letters, '...', ',' and one '->' are)");
      }
    }
    if (terms_.size() != count)
      fail("has " + std::to_string(terms_.size()) + " terms for " + std::to_string(count) + (count == 1 ? " operand" : " operands"));
  }

  Labelled labelled(const Expr& x, const Labels& term, size_t number) {
    const bool has_dots = std::count(term.begin(), term.end(), dots) != 0;
    const int named = static_cast<int>(term.size()) - (has_dots ? 1 : 0), hidden = x.rank() - named;
    const std::string which = "operand " + std::to_string(number) + " of shape " + ops::shape_text(x.shape());
    if (hidden < 0 || (hidden > 0 && !has_dots)) fail("has " + std::to_string(named) + " labels for " + which);
    Labels labels;
    for (const int label : term) {
      for (int k = hidden; label == dots && k-- > 0;) labels.push_back(first_dot + k);
      if (label != dots) labels.push_back(label);
    }
    hidden_ = std::max(hidden_, hidden);
    for (size_t k = 0; k < labels.size(); ++k) {
      if (std::count(labels.begin(), labels.end(), labels[k]) > 1)
        fail("label '" + std::string(1, static_cast<char>(labels[k])) + "' twice for " + which + ": diagonals are not supported");
      check_size(labels[k], x.shape()[k], which);
    }
    return {x, labels};
  }

  void check_size(int label, const Dim& size, const std::string& which) {
    const auto [it, is_new] = sizes_.try_emplace(label, size);
    if (is_new || it->second == size || !(it->second - size).is_constant()) return;
    if (label >= first_dot && (it->second.is_one() || size.is_one())) {
      if (it->second.is_one()) it->second = size;
      return;
    }
    const std::string name = label >= first_dot ? "an axis of '...'" : "label '" + std::string(1, static_cast<char>(label)) + "'";
    fail_user(ErrorCode::shape, "einsum",
              "'" + std::string(text_.substr(0, 80)) + "': " + name + " has size " + size.str() + " in " + which + ", but " +
                  it->second.str() + " before",
              origin_);
  }

  Labels result_labels() const {
    Labels labels;
    if (!explicit_) {
      for (int k = hidden_; k-- > 0;) labels.push_back(first_dot + k);
      for (const auto& [label, size] : sizes_) {
        int uses = 0;
        for (const Labelled& x : operands_) uses += static_cast<int>(std::count(x.labels.begin(), x.labels.end(), label));
        if (label < first_dot && uses == 1) labels.push_back(label);
      }
    }
    for (const int label : output_) {
      for (int k = hidden_; label == dots && k-- > 0;) labels.push_back(first_dot + k);
      if (label == dots) continue;
      if (!sizes_.contains(label)) fail("label '" + std::string(1, static_cast<char>(label)) + "' of the result is in no operand");
      labels.push_back(label);
    }
    for (const int label : labels)
      if (std::count(labels.begin(), labels.end(), label) > 1) fail("a label comes twice in the result");
    if (explicit_ && hidden_ > 0 && std::count(output_.begin(), output_.end(), dots) == 0)
      fail("the result lacks the '...' of the operands");
    if (labels.size() > most_axes) fail("the result would have " + std::to_string(labels.size()) + " axes; 8 are the most");
    return labels;
  }

  // ---- contraction ----
  bool used_later(int label, size_t from) const {
    if (std::count(result_.begin(), result_.end(), label) != 0) return true;
    for (size_t k = from; k < operands_.size(); ++k)
      if (std::count(operands_[k].labels.begin(), operands_[k].labels.end(), label) != 0) return true;
    return false;
  }
  /// Sums over labels that neither the result, nor operands from `from` on, nor `beside` have.
  Labelled reduced(const Labelled& x, size_t from, const Labels& beside) const {
    Labels kept;
    for (const int label : x.labels)
      if (std::count(beside.begin(), beside.end(), label) != 0 || used_later(label, from)) kept.push_back(label);
    return {products::summed(x, kept, options_, origin_), kept};
  }
  /// Labels of either that the result or a later operand has: those of x first.
  Labels needed(const Labels& x, const Labels& y, size_t from) const {
    Labels all, kept;
    for (const Labels* labels : {&x, &y})
      for (const int label : *labels) {
        if (std::count(all.begin(), all.end(), label) != 0) continue;
        all.push_back(label);
        if (used_later(label, from)) kept.push_back(label);
      }
    if (all.size() > most_axes) fail("a product on the way would have " + std::to_string(all.size()) + " axes; 8 are the most");
    return kept;
  }

  std::string_view text_;
  const ProductOptions& options_;
  OriginId origin_;
  std::vector<Labels> terms_;
  Labels output_, result_;
  bool explicit_ = false;
  int hidden_ = 0;
  std::vector<Labelled> operands_;
  std::map<int, Dim> sizes_;
};

}  // namespace

Expr einsum(std::string_view subscripts, const std::vector<Operand>& operands, const ProductOptions& options) {
  return Einsum(subscripts, operands, options).run();
}

}  // namespace voxloom
