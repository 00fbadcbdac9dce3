#include "config/hba.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/hba_text.hpp"

namespace weirpool::config {
namespace {

constexpr unsigned kMappedPrefix = 12;  // bytes before an IPv4 address inside an IPv6 one

bool spells_v4(const std::string& text) { return text.find(':') == std::string::npos; }

IpBytes mapped(const in_addr& v4) {
  IpBytes address{};
  address[10] = address[11] = 0xFF;
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&v4);
  std::copy_n(raw, 4, address.begin() + kMappedPrefix);
  return address;
}

/// The first `bits` bits of an IPv6 address.
IpBytes mask_of(unsigned bits) {
  IpBytes mask{};
  for (unsigned i = 0; i < bits; ++i) mask[i / 8] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
  return mask;
}

IpBytes masked(IpBytes address, const IpBytes& mask) {
  for (std::size_t i = 0; i < address.size(); ++i) address[i] &= mask[i];
  return address;
}

class Parser {
 public:
  Parser(const HbaLine& line, std::vector<LineProblem>& problems)
      : line_(line), problems_(problems) {}

  std::optional<HbaRule> run() {
    rule_.line = line_.number;
    kind();
    rule_.databases = names("database");
    rule_.users = names("user");
    if (rule_.kind != HbaRule::Kind::local) address();
    method();
    while (next_ < line_.fields.size()) option();
    check();
    return wrong_ ? std::nullopt : std::optional(std::move(rule_));
  }

 private:
  /// The first of a line: the others would only follow from it.
  void problem(std::string message) {
    if (!std::exchange(wrong_, true)) problems_.push_back({line_.number, std::move(message)});
  }

  /// The next field as one word; empty and a problem where there is none.
  HbaWord single(std::string_view what) {
    if (next_ == line_.fields.size()) {
      cut_short_ = true;
      problem("the " + std::string(what) + " is missing");
      return {};
    }
    const std::vector<HbaWord>& field = line_.fields[next_++];
    if (field.size() > 1) problem("only one " + std::string(what) + " can be given");
    return field.front();
  }

  void kind() {
    const std::string word = single("type").text;
    if (word == "local") {
      rule_.kind = HbaRule::Kind::local;
    } else if (word == "host" || word == "hostnogssenc") {
      rule_.kind = HbaRule::Kind::host;
    } else if (word == "hostssl") {
      rule_.kind = HbaRule::Kind::hostssl;
    } else if (word == "hostnossl") {
      rule_.kind = HbaRule::Kind::hostnossl;
    } else if (word == "hostgssenc") {
      rule_.kind = HbaRule::Kind::never;  // nobody ever comes by GSSAPI encryption
    } else if (!cut_short_) {
      problem("unknown connection type '" + word + "'");
    }
  }

  std::vector<HbaRule::Name> names(std::string_view what) {
    std::vector<HbaRule::Name> names;
    if (next_ == line_.fields.size()) {
      single(what);
      return names;
    }
    for (const HbaWord& word : line_.fields[next_++]) names.push_back(name(word, what));
    return names;
  }

  HbaRule::Name name(const HbaWord& word, std::string_view what) {
    using Kind = HbaRule::Name::Kind;
    const bool database = what == "database";
    if (word.quoted) return {Kind::literal, word.text};
    if (word.text == "all") return {Kind::all, {}};
    if (database && word.text == "sameuser") return {Kind::same_user, {}};
    if (database && word.text == "replication") return {Kind::replication, {}};
    if (database && (word.text == "samerole" || word.text == "samegroup")) {
      problem(word.text + " cannot be known here: list the databases");
    }
    if (word.text.starts_with('+')) {
      problem("who is a member of a role cannot be known here: list the users in place of '" +
              word.text + "'");
    }
    if (word.text.starts_with('@')) problem("included lists ('" + word.text + "') are not read");
    if (word.text.starts_with('/')) {
      problem("regular expressions ('" + word.text + "') are not supported");
    }
    return {Kind::literal, word.text};
  }

  void address() {
    const HbaWord word = single("address");
    if (cut_short_ || (!word.quoted && word.text == "all")) return;
    rule_.any_address = false;
    const std::size_t slash = word.text.find('/');
    const std::string host = word.text.substr(0, slash);
    const auto parsed = parse_host(host);
    if (!parsed) {
      problem("'" + word.text + "' is not a numeric address: host names are not looked up here");
      return;
    }
    if (slash == std::string::npos) {
      separate_mask(host);
    } else {
      prefix(host, word.text.substr(slash + 1));
    }
    rule_.address = masked(*parsed, rule_.mask);
    rule_.v4 = spells_v4(host);
  }

  void prefix(const std::string& host, const std::string& text) {
    unsigned bits = 0;
    const unsigned most = spells_v4(host) ? 32 : 128;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc{} || end != text.data() + text.size() || bits > most) {
      problem("'" + text + "' is not a prefix length (0.." + std::to_string(most) + ")");
      return;
    }
    rule_.mask = mask_of(bits + (spells_v4(host) ? 8 * kMappedPrefix : 0));
  }

  void separate_mask(const std::string& host) {
    const HbaWord word = single("mask");
    if (cut_short_) return;
    const auto mask = parse_host(word.text);
    if (!mask || spells_v4(word.text) != spells_v4(host)) {
      problem("'" + word.text + "' is not a mask of the address; write address/bits");
      return;
    }
    rule_.mask = *mask;
    if (spells_v4(host)) std::fill_n(rule_.mask.begin(), kMappedPrefix, std::uint8_t{0xFF});
  }

  void method() {
    const std::string word = single("method").text;
    static constexpr std::pair<std::string_view, AuthMethod> kMethods[] = {
        {"trust", AuthMethod::trust},       {"reject", AuthMethod::reject},
        {"md5", AuthMethod::md5},           {"scram-sha-256", AuthMethod::scram_sha_256},
        {"password", AuthMethod::password}, {"cert", AuthMethod::cert}};
    for (const auto& [name, method] : kMethods) {
      if (word != name) continue;
      rule_.method = method;
      return;
    }
    if (!cut_short_) problem("method '" + word + "' is not supported");
  }

  void option() {
    const std::string word = single("option").text;
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name == "map" && !value.empty()) {
      rule_.map = value;
    } else if (name == "clientcert" && value == "verify-ca") {
      rule_.certificate = true;
    } else if (name == "clientcert" && value == "verify-full") {
      rule_.certificate = rule_.certificate_name = true;
    } else if (name != "clientname" || value != "CN") {
      problem("option '" + word + "' is not supported");
    }
  }

  void check() {
    if (rule_.method == AuthMethod::cert) rule_.certificate = rule_.certificate_name = true;
    if (rule_.certificate && rule_.kind != HbaRule::Kind::hostssl) {
      problem("certificates are shown on hostssl lines only");
    }
    if (!rule_.map.empty() && !rule_.certificate_name) {
      problem("map is for cert and clientcert=verify-full only");
    }
  }

  const HbaLine& line_;
  std::vector<LineProblem>& problems_;
  HbaRule rule_;
  std::size_t next_ = 0;
  bool cut_short_ = false;
  bool wrong_ = false;
};

bool names_match(const std::vector<HbaRule::Name>& names, std::string_view name,
                 const Arrival& arrival) {
  using Kind = HbaRule::Name::Kind;
  return std::any_of(names.begin(), names.end(), [&](const HbaRule::Name& one) {
    switch (one.kind) {
      case Kind::all: return true;
      case Kind::same_user: return arrival.user == arrival.database;
      case Kind::replication: return false;
      case Kind::literal: break;
    }
    return one.text == name;
  });
}

/// Connections for physical replication name no database; only the word matches them.
bool databases_match(const std::vector<HbaRule::Name>& names, const Arrival& arrival) {
  if (!arrival.replication) return names_match(names, arrival.database, arrival);
  return std::any_of(names.begin(), names.end(), [](const HbaRule::Name& one) {
    return one.kind == HbaRule::Name::Kind::replication;
  });
}

}  // namespace

std::optional<IpBytes> parse_host(const std::string& text) {
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return mapped(v4);
  IpBytes v6{};
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

bool HbaRule::matches(const Arrival& arrival) const {
  switch (kind) {
    case Kind::local:
      if (!arrival.local) return false;
      break;
    case Kind::hostssl:
      if (arrival.local || !arrival.encrypted) return false;
      break;
    case Kind::hostnossl:
      if (arrival.local || arrival.encrypted) return false;
      break;
    case Kind::host:
      if (arrival.local) return false;
      break;
    case Kind::never: return false;
  }
  return databases_match(databases, arrival) && names_match(users, arrival.user, arrival) &&
         (any_address ||
          (is_v4(arrival.address) == v4 && masked(arrival.address, mask) == address));
}

const HbaRule* Hba::find(const Arrival& arrival) const {
  for (const HbaRule& rule : rules) {
    if (rule.matches(arrival)) return &rule;
  }
  return nullptr;
}

Hba parse_hba(std::string_view text, std::vector<LineProblem>& problems) {
  Hba hba;
  for (const HbaLine& line : split_hba(text, problems)) {
    if (auto rule = Parser(line, problems).run()) hba.rules.push_back(std::move(*rule));
  }
  return hba;
}

bool IdentMap::admits(const std::string& map, const std::string& name,
                      std::string_view user) const {
  if (map.empty()) return name == user;
  const auto [first, last] = entries.equal_range({map, name});
  return std::any_of(first, last,
                     [user](const auto& entry) { return !entry.second || *entry.second == user; });
}

IdentMap parse_ident(std::string_view text, std::vector<LineProblem>& problems) {
  IdentMap map;
  for (const HbaLine& line : split_hba(text, problems)) {
    const bool words = std::all_of(line.fields.begin(), line.fields.end(),
                                   [](const auto& field) { return field.size() == 1; });
    if (line.fields.size() != 3 || !words) {
      problems.push_back({line.number, "three fields are needed: map, name in certificate, user"});
      continue;
    }
    const std::string& name = line.fields[1].front().text;
    const auto& [user, quoted] = line.fields[2].front();
    if (name.starts_with('/') || user.starts_with('/') || user.starts_with('+')) {
      problems.push_back({line.number, "regular expressions and roles are not supported"});
      continue;
    }
    const bool any = user == "all" && !quoted;
    map.entries.emplace(std::pair(line.fields[0].front().text, name),
                        any ? std::nullopt : std::optional(user));
  }
  return map;
}

}  // namespace weirpool::config
