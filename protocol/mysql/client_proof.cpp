#include "protocol/mysql/client_proof.hpp"

#include <utility>

namespace weirpool::protocol::mysql {
namespace {

/// These plugins say "no password" with a single zero byte.
bool is_zero_byte(Bytes token) { return token.size() == 1 && token[0] == 0; }

}  // namespace

ClientProof::~ClientProof() {
  wipe(token_);
  wipe(claimed_);
  if (revealed_) wipe(revealed_->password);
}

ClientProof::Plugin ClientProof::plugin_of(std::string_view name) {
  if (name == kNativePlugin) return Plugin::native;
  if (name == kSha2Plugin) return Plugin::caching_sha2;
  if (name == kSha256Plugin) return Plugin::sha256;
  if (name == kClearPlugin) return Plugin::clear;
  return Plugin::unknown;
}

std::string_view ClientProof::name_of(Plugin plugin) {
  switch (plugin) {
    case Plugin::caching_sha2: return kSha2Plugin;
    case Plugin::sha256: return kSha256Plugin;
    case Plugin::clear: return kClearPlugin;
    default: return kNativePlugin;
  }
}

bool ClientProof::checkable(Plugin plugin) const {
  return plugin != Plugin::unknown && (plugin != Plugin::clear || tls_);
}

void ClientProof::handshake(std::string_view plugin, Bytes token) {
  plugin_ = plugin_of(plugin);
  const bool known = checkable(plugin_);
  // A client that does not know the greeting's plugin names its own and waits to be asked again.
  const bool asks_again = token.empty() && plugin_ != greeted_;
  if (!known) plugin_ = greeted_;
  if (known && !asks_again) return take_token(token);
  stage_ = Stage::send_switch;
}

void ClientProof::change_user(std::string_view plugin, Bytes token) {
  plugin_ = plugin_of(plugin);
  const bool known = checkable(plugin_);
  if (!known) plugin_ = greeted_;
  if (known && !token.empty()) return take_token(token);
  stage_ = Stage::send_switch;
}

ClientProof::Turn ClientProof::turn() const {
  switch (stage_) {
    case Stage::token:
    case Stage::secret: return Turn::client;
    case Stage::look_up: return Turn::look_up;
    case Stage::derive: return Turn::derive;
    case Stage::proven: return Turn::proven;
    case Stage::denied: return Turn::denied;
    case Stage::violation: return Turn::violation;
    default: return Turn::weirpool;
  }
}

void ClientProof::accept(Bytes payload) {
  stage_ == Stage::token ? take_token(payload) : take_secret(payload);
}

/// The user is looked up with the token at hand, so that nothing before it depends on the user.
void ClientProof::take_token(Bytes token) {
  if (plugin_ != Plugin::native && is_zero_byte(token)) token = {};
  with_password_ = with_password_ || !token.empty();
  if (credentials_) return check_token(token);
  token_ = text_of(token);
  stage_ = Stage::look_up;
}

void ClientProof::answer(std::shared_ptr<const Credentials> credentials, const Credentials* like) {
  credentials_ = credentials ? std::move(credentials) : Credentials::of_nobody(like);
  check_token(bytes_of(token_));
  wipe(token_);
}

void ClientProof::check_token(Bytes token) {
  stage_ = Stage::denied;
  if (token.empty()) {
    if (credentials_->without_password()) stage_ = Stage::proven;
    return;
  }
  switch (plugin_) {
    case Plugin::native:
      if (credentials_->checks_native()) return conclude(credentials_->native(scramble_, token));
      if (!switches_) return;
      plugin_ = Plugin::caching_sha2;
      stage_ = Stage::send_switch;
      return;
    case Plugin::caching_sha2:
      stage_ = credentials_->sha2(scramble_, token) ? Stage::send_fast_ok : Stage::send_full;
      return;
    default: break;
  }
  // The token is the secret already, or asks for our key.
  take_secret(token);
}

void ClientProof::take_secret(Bytes payload) {
  if (tls_) {
    if (payload.empty() || payload.back() != 0) {
      stage_ = Stage::violation;
      return;
    }
    return check_password(std::string(text_of(payload.first(payload.size() - 1))));
  }
  const std::uint8_t request = plugin_ == Plugin::sha256 ? kSha256KeyRequest : kPublicKeyRequest;
  if (payload.size() == 1 && payload[0] == request) {
    stage_ = Stage::send_key;
    return;
  }
  check_password(RsaKey::of_process().decrypt_password(payload, scramble_));
}

void ClientProof::check_password(std::string password) {
  stage_ = Stage::denied;
  if (!password.empty()) conclude(credentials_->plain(password));
  if (stage_ == Stage::denied && !password.empty() && credentials_->expensive() > 0) {
    claimed_ = password;
    candidate_ = 0;
    stage_ = Stage::derive;
  }
  wipe(password);
}

void ClientProof::derived(Bytes key) {
  conclude(credentials_->derived(candidate_, key, claimed_));
  if (stage_ == Stage::denied && ++candidate_ < credentials_->expensive()) {
    stage_ = Stage::derive;
    return;
  }
  wipe(claimed_);
}

void ClientProof::conclude(Credentials::Finding finding) {
  stage_ = finding.right ? Stage::proven : Stage::denied;
  revealed_ = std::move(finding.revealed);
}

void ClientProof::write(Writer& out) {
  switch (stage_) {
    case Stage::send_switch:
      AuthSwitch{name_of(plugin_), scramble_}.serialize(out);
      stage_ = Stage::token;
      return;
    case Stage::send_fast_ok:
      out.u8(kAuthMoreData);
      out.u8(kFastAuthOk);
      stage_ = Stage::proven;
      return;
    case Stage::send_full:
      out.u8(kAuthMoreData);
      out.u8(kFullAuthNeeded);
      stage_ = Stage::secret;
      return;
    default:
      out.u8(kAuthMoreData);
      out.text(RsaKey::of_process().public_pem());
      stage_ = Stage::secret;
      return;
  }
}

}  // namespace weirpool::protocol::mysql
