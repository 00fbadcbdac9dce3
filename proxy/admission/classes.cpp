#include "proxy/admission/classes.hpp"

#include <algorithm>

namespace weirpool::proxy::admission {
namespace {

constexpr std::string_view kSpace = " \t\r\n;";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool fits(std::string_view wanted, std::string_view is) { return wanted.empty() || wanted == is; }

/// key='value' or key=value between commas.
bool comment_says(std::string_view comment, std::string_view key, std::string_view value) {
  while (!comment.empty()) {
    const std::size_t comma = std::min(comment.find(','), comment.size());
    const std::string_view one = trimmed(comment.substr(0, comma));
    comment.remove_prefix(std::min(comma + 1, comment.size()));
    if (!one.starts_with(key) || one.substr(key.size(), 1) != "=") continue;
    std::string_view said = one.substr(key.size() + 1);
    if (said.size() >= 2 && said.front() == '\'' && said.back() == '\'') {
      said = said.substr(1, said.size() - 2);
    }
    if (said == value) return true;
  }
  return false;
}

}  // namespace

bool says(std::string_view statement, std::string_view tag) {
  // Comments of tracing libraries are short; text beyond is the statement's own.
  constexpr std::size_t kLongest = 2048;
  const std::size_t equals = tag.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = tag.substr(0, equals);
  const std::string_view value = tag.substr(equals + 1);
  const std::string_view text = trimmed(statement);
  if (text.starts_with("/*")) {
    const std::size_t end = text.substr(0, kLongest).find("*/");
    if (end != std::string_view::npos && comment_says(text.substr(2, end - 2), key, value)) {
      return true;
    }
  }
  if (!text.ends_with("*/")) return false;
  const std::string_view tail = text.substr(text.size() - std::min(text.size(), kLongest));
  const std::size_t begin = tail.rfind("/*");
  if (begin == std::string_view::npos) return false;
  return comment_says(tail.substr(begin + 2, tail.size() - begin - 4), key, value);
}

const config::AdmissionRule& rule_of(const config::Admission& admission, const Applicant& applicant,
                                     std::string_view statement) {
  static const config::AdmissionRule kNone;
  for (const config::AdmissionRule& rule : admission.rules) {
    if (fits(rule.user, applicant.user) && fits(rule.database, applicant.database) &&
        fits(rule.application, applicant.application) && fits(rule.listener, applicant.listener) &&
        (rule.tag.empty() || says(statement, rule.tag))) {
      return rule;
    }
  }
  return kNone;
}

bool reads_statements(const config::Admission& admission) {
  return std::any_of(admission.rules.begin(), admission.rules.end(),
                     [](const config::AdmissionRule& rule) { return !rule.tag.empty(); });
}

}  // namespace weirpool::proxy::admission
