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
  tagged_line_ = {};
  line_ = shard_->flow(admission::class_of(rules, applicant), admission::source_of(address_.ip),
                       identity.application);
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
  const Class importance =
      admission::class_of(host_.loop().config->admission, applicant, statement);
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

/// The client hears why its request gets no backend; the session stays.
void Session::refuse(Fault fault, std::string_view detail) {
  host_.metrics().faults[static_cast<std::size_t>(fault)].add(1);
  conversation_->refuse(fault, detail);
}

}  // namespace weirpool::proxy
