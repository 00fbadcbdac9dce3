// A session's dealings with the line of its pool, see session.hpp: whose share its backends are
// taken from, how long it can wait, and what it hears when it is refused.
#include <chrono>

#include "proxy/admission/classes.hpp"
#include "proxy/admission/waiting_line.hpp"
#include "proxy/session/session.hpp"

namespace weirpool::proxy {

using admission::Class;
using protocol::Fault;

/// Once the login is known to be good; login_ is still there.
void Session::join_pool() {
  const config::Admission& rules = host_.loop().config->admission;
  const protocol::Identity& identity = login_->identity();
  const admission::Applicant applicant{identity.user, identity.database, identity.application,
                                       site_->address};
  const config::AdmissionRule& rule = admission::rule_of(rules, applicant);
  tagged_line_ = {};
  line_ = shard_->flow(admission::class_of(rule), admission::source_of(address_.ip),
                       identity.application);
  refuse_with_ = rule.refuse_with;
  asker_.reset();
  if (admission::reads_statements(rules)) {
    asker_ = std::make_unique<Asker>(Asker{identity.user, identity.database, identity.application});
  }
}

/// The line that the request at hand belongs to.
const admission::Flow& Session::flow_of_request() {
  if (!asker_) return line_;
  const std::string_view statement = conversation_->request_text(up_.unread());
  const admission::Applicant applicant{asker_->user, asker_->database, asker_->application,
                                       site_->address};
  const config::AdmissionRule& rule =
      admission::rule_of(host_.loop().config->admission, applicant, statement);
  refuse_with_ = rule.refuse_with;
  const Class importance = admission::class_of(rule);
  if (importance == line_.importance()) return line_;
  if (!tagged_line_ || tagged_line_.importance() != importance) {
    tagged_line_ = shard_->sibling(line_, importance);
  }
  return tagged_line_;
}

/// The shorter of what the configuration allows its class and what the client allows its statement.
Session::Patience Session::patience(Class importance) const {
  const config::Duration allowed = host_.loop().config->timeouts.query_wait_timeout;
  Patience patient;
  if (allowed.count() != 0) {
    patient.time = admission::WaitingLine::patience_of(importance, allowed);
  }
  const std::chrono::milliseconds own(conversation_->statement_limit_ms());
  if (own.count() != 0 && own < patient.time) patient = {own, true};
  return patient;
}

/// What the rules let it hear in place of `fault`.
Fault Session::in_its_terms(Fault fault) const {
  switch (fault) {
    case Fault::pool_timeout:
    case Fault::pool_queue_full:
    case Fault::pool_overloaded:
    case Fault::line_out_of_memory: break;
    default: return fault;
  }
  switch (refuse_with_) {
    case config::RefuseWith::too_many_connections: break;
    case config::RefuseWith::serialization_failure: return Fault::refused_as_conflict;
    case config::RefuseWith::lock_not_available: return Fault::refused_as_lock_wait;
  }
  return fault;
}

/// The client hears why its request gets no backend; the session stays.
void Session::refuse(Fault fault, std::string_view detail) {
  fault = in_its_terms(fault);
  host_.metrics().faults[static_cast<std::size_t>(fault)].add(1);
  conversation_->refuse(fault, detail);
}

}  // namespace weirpool::proxy
