// Session state of the conversation: what statements do to it, and weirpool's own statements that
// bring it about on a backend or ask a backend about it. The client waits meanwhile.
#include <algorithm>
#include <utility>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Beyond this a client has touched more parameters than anybody wants to ask for.
constexpr std::size_t kMaxTouched = 3 * kMaxParameters;
/// How often weirpool's own statements are repeated when something that was left over from the
/// previous client (a statement_timeout, a late cancel) stops them.
constexpr std::uint8_t kOwnTries = 3;

}  // namespace

/// A statement with these effects is about to be executed.
void PostgresConversation::execute_effects(const TextEffects& effects, std::string_view text) {
  if (effects.bits == 0 && !check_) return;
  forgetting_ = forgetting_ || (effects.bits & kForgets) != 0;
  const SessionPolicy& policy = catalog_->policy;
  Effects bits = effects.bits & ~policy.allowed;
  if ((bits & policy.pinned & ~kPinPrepare) != 0) bits |= kPinSet;
  if (doubtful_reading()) bits |= kPinSet | kUnknown;
  if (bits == 0) return;
  // What came of it can be asked for.
  if ((bits & kUnknown) != 0) bits |= kVerifiableTexts & ~policy.allowed;
  effects_ |= bits & kPins;
  unsettled_ |= bits & (kSettings | kRoles | kLocal | kResetAll | kPinSet | kPinSetConfig);
  Effects verify = bits & kVerifiable;
  if ((bits & kEndsState) != 0) verify |= effects_ & kVerifiable;
  if (verify != 0) check().verify(verify);
  touch_settings(effects.settings);
  follow_sql(bits, text);
  if ((bits & kResetAll) != 0) {
    touch_everything();
    // Outside a transaction, and if the backend does nothing else, it is undone by nothing.
    resets_all_ =
        bits == (kResetAll | kForgets) && status_ == 'I' && queue_.size() == 1 && !unsynced_;
  }
  if (check_ && check_->parameters().size() > kMaxTouched) effects_ |= kPinSet;
}

/// Texts behind one that changes how texts are read may have been misread. The new encoding is
/// known with the answer; most clients wait for that.
bool PostgresConversation::doubtful_reading() const {
  if (!check_) return false;
  return check_->touched("standard_conforming_strings") ||
         (texts_behind() && check_->touched("client_encoding"));
}

/// More has been read than the one request that is being answered.
bool PostgresConversation::texts_behind() const { return queue_.size() > 1 || unsynced_; }

/// A function nobody has named has changed how they are read.
void PostgresConversation::texts_misread() {
  effects_ |= kPinSet;
  check().verify(kVerifiableTexts & ~catalog_->policy.allowed);
}

void PostgresConversation::touch_settings(const std::vector<Setting>& settings) {
  // Those that pin are followed as well: RESET has to lead back to the startup message.
  for (const auto& [name, reset] : settings) {
    const Effects kind = sets_identity(name) ? kRoles : kSettings;
    if ((catalog_->policy.allowed & kind) != 0) continue;
    check().touch(name, reset);
    // What is pipelined behind it must not meet the server's default.
    forgetting_ = forgetting_ || (reset && startup_->find(name) != nullptr);
  }
}

SessionCheck& PostgresConversation::check() {
  if (!check_) check_ = std::make_unique<SessionCheck>();
  return *check_;
}

/// Whatever differed from the defaults does not any more.
void PostgresConversation::touch_everything() {
  SessionCheck& touched = check();
  for (const NamedValue& entry : wanted_->entries()) {
    if (!sets_identity(entry.first)) touched.touch(entry.first, true);
  }
  for (const NamedValue& entry : startup_->entries()) {
    if (!sets_identity(entry.first)) touched.touch(entry.first, true);
  }
  for (const NamedValue& entry : backend_->parameters.applied()) {
    if (!sets_identity(entry.first)) touched.touch(entry.first, true);
  }
  for (const Reported& r : backend_->parameters.reported()) {
    if (follows_client(r.lower)) touched.touch(r.lower, true);
  }
}

/// At a boundary: asks the backend what its session has become, or knows it already.
PostgresConversation::Step PostgresConversation::check_step() {
  // A question would take an unnamed statement with it.
  if (!check_ || awaits_bind()) return std::nullopt;
  if (!quiet()) return restore_step();
  const std::string query = check_->query(backend_->parameters, *wanted_);
  if (query.empty()) {
    checked(Own());
    if (const Step news = to_client_.next()) return news;
    return to_backend_.next();
  }
  begin_own(Purpose::check, query);
  return to_backend_.next();
}

void PostgresConversation::begin_own(Purpose purpose, std::string_view text,
                                     std::vector<std::string> names) {
  own_ = std::make_unique<Own>();
  own_->purpose = purpose;
  own_->names = std::move(names);
  // A simple Query takes the unnamed statement with it.
  backend_->unnamed.reset();
  backend_->unnamed_certain = true;
  write_query(text, to_backend_.out());
}

/// Makes the backend what the client wants, unless it is.
void PostgresConversation::settle() {
  note_search_path();
  BackendParameters& parameters = backend_->parameters;
  if (parameters.matches(wanted_)) {
    if (parameters.profile() != wanted_) adopt(parameters.profile());
    return;
  }
  Change change = parameters.difference(*wanted_);
  if (change.empty()) {
    parameters.became(wanted_, wanted_);
    return;
  }
  begin_own(Purpose::settle, change.text, std::move(change.names));
}

/// The answer to a statement of weirpool's own: nothing of it reaches the client.
Verdict PostgresConversation::own_step(Bytes unread) {
  if (own_->gather.collecting()) return own_parameter(unread, own_->gather.total());
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header)) return Verdict::close(Fault::backend_violation);
  const auto action = backend_action(Reply::query, header.tag);
  const bool batch = own_->purpose == Purpose::agree || own_->purpose == Purpose::supply;
  const bool of_batch = batch && header.tag >= '1' && header.tag <= '3';
  if ((action == FromBackend::violation && !of_batch) || action == FromBackend::copy_in) {
    return Verdict::close(Fault::backend_violation);
  }
  const bool is_row = header.tag == 'D' && header.total() <= kMaxNeed;
  own_->list_unread = own_->list_unread || (header.tag == 'D' && !is_row);
  if (action == FromBackend::parameter) return own_parameter(unread, header.total());
  const bool read = is_row || action == FromBackend::error || action == FromBackend::ready;
  const std::uint64_t front = std::min<std::uint64_t>(header.total(), kMaxNeed);
  if (read && unread.size() < front) return Verdict::need(front);
  const Bytes payload =
      read ? unread.first(static_cast<std::size_t>(front)).subspan(kHeaderSize) : Bytes();
  if (is_row) {
    if (!read_row(payload)) return Verdict::close(Fault::backend_violation);
  } else if (action == FromBackend::command) {
    ++own_->results;
  } else if (action == FromBackend::error) {
    ErrorResponse error = ErrorResponse::parse(payload);
    own_->sqlstate = error.sqlstate;
    error.severity = own_->purpose == Purpose::supply ? "ERROR" : "FATAL";
    Writer out;
    error.serialize(out);
    own_->error = text_of(out.view());
  } else if (header.tag == 'A' && !for_nobody(header.tag)) {
    // The client listens, and this is for it.
    backend_moving_ = true;
    return Verdict::forward(header.total());
  } else if (action == FromBackend::ready) {
    const char now = header.length == 5 ? static_cast<char>(payload[0]) : '\0';
    const bool failed = now == 'E' && status_ == 'T';
    if (now != status_ && !failed) return Verdict::close(Fault::backend_violation);
    status_ = now;
    if (own_->purpose == Purpose::agree && agreed()) return Verdict::skip(header.total());
    to_client_.skip(header.total());
    own_done();
    return *to_client_.next();
  }
  return Verdict::skip(header.total());
}

Verdict PostgresConversation::own_parameter(Bytes unread, std::uint64_t total) {
  if (total > kMaxParameterStatus) return Verdict::close(Fault::backend_violation);
  if (const auto verdict = own_->gather.collect(unread, total)) return *verdict;
  const auto message = ParameterStatus::parse(own_->gather.message().subspan(kHeaderSize));
  if (!message) return Verdict::close(Fault::backend_violation);
  backend_->parameters.report(message->name, message->value);
  // Nothing is left of one that has been collected.
  const std::uint64_t in_place = own_->gather.consume();
  return in_place != 0 ? Verdict::skip(in_place) : own_step(unread);
}

/// False: it is none.
bool PostgresConversation::read_row(Bytes payload) {
  auto row = parse_row(payload);
  if (!row) return false;
  const bool listed = own_->purpose == Purpose::check && check_->lists() &&
                      own_->results == check_->results_before_list();
  if (!listed) {
    own_->row = std::move(*row);
  } else if (own_->list.size() <= kMaxSqlStatements) {
    own_->list.push_back(std::move(*row));
  }
  return true;
}

void PostgresConversation::own_done() {
  const std::unique_ptr<Own> done = std::exchange(own_, nullptr);
  if (done->purpose == Purpose::agree) note_agreement(*done);
  if (done->purpose == Purpose::supply) return supplied(*done);
  if (status_ == 'E') {
    cleansed_ = false;
    return;  // The client's statement will hear that its transaction has failed.
  }
  if ((done->interrupted || done->sqlstate == "57014") && ++own_tries_ < kOwnTries) {
    // Nothing of it has happened: several statements of one Query are one transaction.
    if (done->purpose == Purpose::settle) settle();
    if (done->purpose == Purpose::cleanse) cleansed_ = false;
    if (done->purpose == Purpose::agree) agree();
    return;  // What is still due begins anew.
  }
  own_tries_ = 0;
  if (done->purpose == Purpose::check) {
    checked(*done);
  } else if (done->error.empty()) {
    if (done->purpose == Purpose::settle) settled(*done);
    if (done->purpose == Purpose::restore) restored(*done);
    if (done->purpose == Purpose::settle && !used_) agree();
  } else {
    settle_failed_ = true;
    to_client_.out().text(done->error);
    to_client_.then(Verdict::close(Fault::none));
  }
}

/// Where temporary objects come first, every CREATE makes one, now or later.
void PostgresConversation::note_search_path() {
  const std::string* path = wanted_->find("search_path");
  if (path != nullptr && path->find("pg_temp") <= 1) effects_ |= kPinLoad;
}

/// From now on the client wants what the backend made of its words, in the backend's spelling.
void PostgresConversation::settled(const Own& own) {
  BackendParameters& parameters = backend_->parameters;
  ProfileRef spelled = wanted_;
  for (const Reported& r : parameters.reported()) {
    const std::string* value = wanted_->find(r.lower);
    if (value == nullptr || *value == r.value || !follows_client(r.lower)) continue;
    if (!ascii(r.value)) continue;
    spelled = catalog_->profiles.with(spelled, r.lower, r.value);
  }
  for (std::size_t i = 0; i < own.names.size() && own.names.size() == own.row.size(); ++i) {
    const std::string* value = wanted_->find(own.names[i]);
    if (value == nullptr || !own.row[i] || !ascii(*own.row[i]) || *value == *own.row[i]) continue;
    spelled = catalog_->profiles.with(spelled, own.names[i], *own.row[i]);
  }
  parameters.became(spelled, wanted_);
  adopt(spelled);
}

void PostgresConversation::want(ProfileRef next) {
  if (next->meaning() != wanted_->meaning()) ++settings_number_;
  wanted_ = std::move(next);
}

/// Wants from now on `spelled`, which means the same as what was wanted so far.
void PostgresConversation::adopt(const ProfileRef& spelled) {
  for (const Reported& r : backend_->parameters.reported()) {
    const std::string* before = wanted_->find(r.lower);
    const std::string* after = spelled->find(r.lower);
    if (before == nullptr || after == nullptr || *before == *after) continue;
    ParameterStatus{r.name, *after}.serialize(to_client_.out());
  }
  if (startup_ == wanted_) startup_ = spelled;
  if (sql_ && sql_->meaning() == wanted_->meaning()) {
    sql_ = catalog_->sql_statements.with_meaning(sql_, spelled->meaning());
  }
  want(spelled);
}

/// The backend has told what its session has become, or could not, or need not.
void PostgresConversation::checked(const Own& own) {
  const std::unique_ptr<SessionCheck> done = std::exchange(check_, nullptr);
  const Row row = own.error.empty() ? own.row : Row();
  const std::optional<Effects> over = done->over(row);
  if (over) effects_ &= ~*over;
  for (const SessionCheck::Touched& touched : done->parameters()) {
    if (!touched.column) {
      back_to_startup(touched);
    } else if (over) {
      learn(touched, row[*touched.column]);
    } else {
      effects_ |= kPinSet;
    }
  }
  BackendParameters& parameters = backend_->parameters;
  if (parameters.difference(*wanted_).empty()) parameters.became(wanted_, wanted_);
  if (done->lists()) take_list(*done, own);
  judge_sql();
  // What the startup message asked for is back in force, as after RESET without a proxy.
  if ((effects_ & kPins) != 0 || pooling_ == Pooling::session) settle();
}

/// RESET leads back to what the startup message asked for, which only weirpool knows.
void PostgresConversation::back_to_startup(const SessionCheck::Touched& touched) {
  const Reported* reported = backend_->parameters.following(touched.name);
  const std::string* value = wanted_->find(touched.name);
  if (!touched.reset || reported == nullptr || reported->value != reported->initial) return;
  const std::string* asked = startup_->find(touched.name);
  if (asked == nullptr) {
    if (value != nullptr) want(catalog_->profiles.without(wanted_, touched.name));
    return;
  }
  if (*asked != reported->value) {
    ParameterStatus{reported->name, *asked}.serialize(to_client_.out());
  }
  want(catalog_->profiles.with(wanted_, touched.name, *asked));
}

void PostgresConversation::learn(const SessionCheck::Touched& touched,
                                 const std::optional<std::string>& now) {
  const std::string& name = touched.name;
  const std::string* before = wanted_->find(name);
  if (now && before != nullptr && *now == *before) return;
  if (before == nullptr && (!now || touched.reset || is_default(name, *now))) return;
  if (!now || touched.reset) {
    backend_->parameters.learned(name, std::nullopt);
    const std::string* asked = startup_->find(name);
    want(asked == nullptr ? catalog_->profiles.without(wanted_, name)
                          : catalog_->profiles.with(wanted_, name, *asked));
    return;
  }
  const ProfileRef next = catalog_->profiles.with(wanted_, name, *now);
  if (!ascii(*now) || !next->bounded()) {
    effects_ |= kPinSet;
    return;
  }
  backend_->parameters.learned(name, now);
  want(next);
  note_search_path();
}

/// Of a parameter that was not set before: has it been set at all?
bool PostgresConversation::is_default(std::string_view name, std::string_view value) const {
  if (name == "role") return value == "none";
  if (name != "session_authorization") return value.empty() && name.find('.') != name.npos;
  const auto& reported = backend_->parameters.reported();
  return std::any_of(reported.begin(), reported.end(),
                     [&](const Reported& r) { return r.lower == name && r.initial == value; });
}

PostgresConversation::Step PostgresConversation::on_parameter(const Header& header, Run& run) {
  if (header.total() > kMaxNeed) {
    effects_ |= kPinSet;  // Too long to be set again elsewhere.
    return pass(header, run);
  }
  if (run.rest().size() < header.total()) return Verdict::need(header.total());
  const auto size = static_cast<std::size_t>(header.total());
  const auto message = ParameterStatus::parse(run.rest().first(size).subspan(kHeaderSize));
  if (!message) return Verdict::close(Fault::backend_violation);
  const Reading before = reading();
  const Reported* changed = backend_->parameters.report(message->name, message->value);
  if (reading() != before && texts_behind()) texts_misread();
  if (status_ != 'I') settings_changed_ = true;
  if (changed != nullptr && follows_client(changed->lower)) {
    const bool own = changed->value == changed->initial && !startup_->find(changed->lower);
    const ProfileRef next = own ? catalog_->profiles.without(wanted_, changed->lower)
                                : catalog_->profiles.with(wanted_, changed->lower, changed->value);
    if (!next->bounded()) return Verdict::close(Fault::message_too_large);
    if (next->meaning() != wanted_->meaning()) meaning_moved();
    want(next);
    note_search_path();
    // In the client's encoding, which is not what it could be set again in.
    if (!ascii(changed->value)) effects_ |= kPinSet;
  }
  if (changed != nullptr && tells_identity(changed->lower)) {
    // Whoever it has become, perhaps inside a function: the backend will be asked.
    meaning_moved();
    for (const std::string_view name : {"role", "session_authorization"}) {
      if (!check().touched(name)) check().touch(name, false);
    }
  }
  return pass(header, run);
}

}  // namespace weirpool::protocol::postgres
