#include "config/hba_text.hpp"

#include <utility>

namespace weirpool::config {
namespace {

class Splitter {
 public:
  Splitter(std::string_view text, std::vector<LineProblem>& problems)
      : text_(text), problems_(problems) {}

  std::vector<HbaLine> run() {
    while (at_ < text_.size()) line();
    return std::move(lines_);
  }

 private:
  bool more() const { return at_ < text_.size() && text_[at_] != '\n'; }
  bool blank() const { return text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'; }
  /// A backslash at the end of a line joins the next one to it.
  bool joined() {
    std::size_t length = 0;
    if (text_.substr(at_).starts_with("\\\n")) length = 2;
    if (text_.substr(at_).starts_with("\\\r\n")) length = 3;
    if (length == 0) return false;
    at_ += length;
    ++number_;
    return true;
  }

  void line() {
    HbaLine one;
    one.number = number_;
    bool list_goes_on = false;
    while (more()) {
      if (joined()) continue;
      if (blank()) {
        ++at_;
      } else if (text_[at_] == '#') {
        while (more()) ++at_;
      } else if (text_[at_] == ',') {
        ++at_;
        list_goes_on = true;
      } else {
        HbaWord next = word();
        const bool same_field = std::exchange(list_goes_on, false) && !one.fields.empty();
        if (!same_field) one.fields.emplace_back();
        one.fields.back().push_back(std::move(next));
      }
    }
    if (at_ < text_.size()) ++at_;
    ++number_;
    if (!one.fields.empty()) lines_.push_back(std::move(one));
  }

  /// Quotes may stand anywhere in it; a doubled one inside quotes is itself.
  HbaWord word() {
    HbaWord word;
    word.quoted = text_[at_] == '"';
    bool inside = false;
    while (more() && (inside || (!blank() && text_[at_] != ',' && text_[at_] != '#'))) {
      if (!inside && joined()) break;
      const char c = text_[at_++];
      if (c != '"') {
        word.text += c;
      } else if (inside && more() && text_[at_] == '"') {
        word.text += text_[at_++];
      } else {
        inside = !inside;
      }
    }
    if (inside) problems_.push_back({number_, "a quote is not closed"});
    return word;
  }

  std::string_view text_;
  std::vector<LineProblem>& problems_;
  std::vector<HbaLine> lines_;
  std::size_t at_ = 0;
  unsigned number_ = 1;
};

}  // namespace

std::vector<HbaLine> split_hba(std::string_view text, std::vector<LineProblem>& problems) {
  return Splitter(text, problems).run();
}

}  // namespace weirpool::config
