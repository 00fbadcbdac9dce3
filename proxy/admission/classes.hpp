// What the rules of the configuration say of a piece of work: the first that fits counts.
#pragma once

#include <string_view>

#include "config/config.hpp"
#include "proxy/admission/fair_queue.hpp"

namespace weirpool::proxy::admission {

/// Who asks. Views, for the duration of a call.
struct Applicant {
  std::string_view user;
  std::string_view database;
  std::string_view application;
  std::string_view listener;
};

/// Without a statement only rules without a tag can fit. Where none does: one that says nothing.
const config::AdmissionRule& rule_of(const config::Admission& admission, const Applicant& applicant,
                                     std::string_view statement = {});

inline Class class_of(const config::AdmissionRule& rule) {
  return static_cast<Class>(rule.importance);
}

/// Some rule looks into statements.
bool reads_statements(const config::Admission& admission);

/// A comment at the beginning or the end of `statement` says `tag`, key=value, as sqlcommenter
/// writes it: key='value' between commas. What lies in between is not looked at, however long.
bool says(std::string_view statement, std::string_view tag);

}  // namespace weirpool::proxy::admission
