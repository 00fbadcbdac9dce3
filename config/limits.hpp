// Bounds that are deliberately not options: nobody needs to tune them, but each has a name, a
// reason and a test. Durations live here because the rest of the program may not spell one out.
#pragma once

#include <chrono>
#include <cstddef>

namespace weirpool::config {

// What a configuration file may be.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
/// Parsed nodes plus a share of their text, so that aliases cannot multiply a small file.
inline constexpr std::size_t kMaxTreeWeight = 50'000;
inline constexpr std::size_t kMaxProblems = 50;
inline constexpr std::size_t kMaxSecretBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxNameBytes = 128;
inline constexpr std::size_t kMaxUserFileBytes = std::size_t{16} << 20;

// Users that are looked up in a database.
inline constexpr std::size_t kMaxCachedAccounts = 10'000;
/// Names that turned out to be nobody's: anybody can make these up.
inline constexpr std::size_t kMaxCachedStrangers = 1000;
/// At once, per worker and database server; the others wait for their turn.
inline constexpr unsigned kMaxLookUps = 2;
/// A user that a password did not fit is looked up again, but not more often than this.
inline constexpr std::chrono::milliseconds kLookUpAgainAfter{1000};
/// Verifiers of which a client's login has shown what they stand for.
inline constexpr std::size_t kMaxRevealed = 10'000;
/// Keys that have been derived from passwords.
inline constexpr std::size_t kMaxDerivedKeys = 10'000;

// The log.
inline constexpr std::chrono::milliseconds kLogRepeatInterval{1000};  ///< per event and key
inline constexpr std::size_t kLogFieldBytes = 1024;   ///< of one value: names come from clients
inline constexpr std::size_t kLogQueueEvents = 8192;  ///< then the oldest are overwritten
inline constexpr std::size_t kLogRepeatKeys = 4096;   ///< remembered keys of limited events
inline constexpr std::size_t kLogRemembered = 256;    ///< events the console can show

// The console.
/// How long the workers may take to say what they hold.
inline constexpr std::chrono::milliseconds kConsoleGatherTimeout{5000};
/// Averages of SHOW STATS are made of periods of this length, as PgBouncer's.
inline constexpr std::chrono::milliseconds kStatsPeriod{60'000};
/// Sessions that a worker describes before it looks after its other work.
inline constexpr std::size_t kInspectAtOnce = 128;

// The HTTP listener for metrics and health.
inline constexpr std::chrono::milliseconds kAdminRequestTimeout{10'000};  ///< also keep-alive idle
inline constexpr std::chrono::milliseconds kAdminRetryDelay{
    100};  ///< accept() without a descriptor
inline constexpr std::chrono::milliseconds kHealthcheckTimeout{3000};
inline constexpr std::size_t kAdminHeaderBytes = std::size_t{8} << 10;
inline constexpr std::size_t kAdminMaxConnections = 64;
inline constexpr std::size_t kHealthcheckMaxBytes = std::size_t{64} << 10;

/// What a client has left behind is cancelled and rolled back within this, or its backend closed.
inline constexpr std::chrono::milliseconds kCallOff{1000};

// The waiting line of a pool (proxy/admission/waiting_line.hpp).
/// A wait that stays above this for a whole interval is overload (CoDel's target, as folly has it).
inline constexpr std::chrono::milliseconds kLineTarget{5};
/// Bounds of that interval, which follows the service time: shorter would take a burst for
/// overload, longer would let the line grow old.
inline constexpr std::chrono::milliseconds kLineIntervalMin{100};
inline constexpr std::chrono::milliseconds kLineIntervalMax{2000};
/// A pool that has not grown for this long is taken for what it is, whatever it still waits for.
inline constexpr std::chrono::milliseconds kGrowthStalled{1000};
/// One that has twice the backends it had is cold for so long: their first statements take several
/// times as long as all others, and who has waited for them is served soon.
inline constexpr std::chrono::milliseconds kWarmUp{1000};
/// A standing line is looked at no more often than this.
inline constexpr std::chrono::milliseconds kLineTick{1};
/// And no more than these are told then that it is not their turn any more.
inline constexpr std::size_t kShedAtOnce = 256;
/// The advice to a refused client: the predicted wait and a random part at least as large as this,
/// so that refused clients do not come back together.
inline constexpr std::chrono::milliseconds kRetryAfterSpread{100};
inline constexpr std::chrono::milliseconds kRetryAfterMin{50};
inline constexpr std::chrono::milliseconds kRetryAfterMax{5000};
/// A source that has not been heard of for this long is forgotten.
inline constexpr std::chrono::milliseconds kSourceForgotten{60'000};
/// A source counts as live for this long after its last statement.
inline constexpr std::chrono::milliseconds kSourceLive{30'000};

// How many statements may execute at a time (proxy/admission/elasticity.hpp,
// proxy/pool/arbiter.hpp).
/// How often it is looked at while somebody waits, and while nobody does.
inline constexpr std::chrono::milliseconds kArbiterTick{25};
inline constexpr std::chrono::milliseconds kArbiterCalmTick{250};
/// Fewer are never tried.
inline constexpr unsigned kUsefulLeast = 4;
/// A trial measures for at least this, and no longer than that unless too little has happened.
inline constexpr std::chrono::milliseconds kTrialShort{250};
inline constexpr std::chrono::milliseconds kTrialLong{1000};
/// Where too little has happened after this, nothing is found out.
inline constexpr std::chrono::milliseconds kTrialPatience{30'000};
/// Pauses between trials grow from the first to the last; where all backends are useful beyond
/// doubt they begin with the one between.
inline constexpr std::chrono::milliseconds kTrialPauseMin{1000};
inline constexpr std::chrono::milliseconds kTrialPauseHealthy{10'000};
inline constexpr std::chrono::milliseconds kTrialPauseMax{60'000};
/// What has been found is forgotten when nobody has waited for this long.
inline constexpr std::chrono::milliseconds kUsefulForgotten{600'000};

/// For so long at a time a worker sees to clients that log in or leave, before it looks for who is
/// being served; and so many are accepted at a time.
inline constexpr std::chrono::milliseconds kPatientSlice{1};
inline constexpr int kAcceptsAtOnce = 32;

/// How far the threads of the proxy's Offload give way to the others: at 15 the kernel gives them a
/// thirtieth of what an I/O thread gets where both want the same processor, some tens of handshakes
/// a second. (A storm of TLS logins raised the p99 of running clients by 1.7 then, by 6 at 5.)
inline constexpr int kOffloadNiceness = 15;

// Own protection (proxy/self_protection.hpp).
/// How often the process's memory is looked at, and how long it may stay high before more is
/// refused than what is least important.
inline constexpr std::chrono::milliseconds kMemoryLook{100};
inline constexpr std::chrono::milliseconds kMemoryGrace{1000};
/// How often what is free is given back to the system while memory is short.
inline constexpr std::chrono::milliseconds kMemoryTrim{1000};
/// Clients that are heard out before they are refused for want of memory: an administrator must
/// get in.
inline constexpr unsigned kHeardWhileTight = 64;
/// How often a worker looks how late its event loop is (proxy/admission/loop_lag.hpp).
inline constexpr std::chrono::milliseconds kLagLook{50};

/// Requests that were lost with a backend before it was given any of them (RetryBudget).
inline constexpr std::chrono::milliseconds kRetryWindow{10'000};

/// The scaling signal is made of windows of this length (proxy/scaling/signal.hpp).
inline constexpr std::chrono::milliseconds kScalingWindow{10'000};

// The pool and the end of sessions.
/// How often a client that is idle in a transaction is looked at, once it has been for longer than
/// others in line have to put up with.
inline constexpr std::chrono::milliseconds kIdleLook{250};
/// How much longer a client of another worker may wait than the oldest local one before a released
/// backend moves to it: a hand-over costs two wake-ups, so it must buy something.
inline constexpr std::chrono::milliseconds kHandOverSkew{20};
/// The same where the backend has to be closed and another opened: dearer by a login.
inline constexpr std::chrono::milliseconds kEvictionSkew{200};
/// After a server has refused a connection because it has too many: how long no more are opened
/// than it has taken, and after how long each it is asked for one more.
inline constexpr std::chrono::milliseconds kFullHold{5000};
inline constexpr std::chrono::milliseconds kFullStep{1000};
// Opening connections to a server (proxy/pool/connect_pacer.hpp).
/// A server that has refused connections for less is perhaps being restarted: work waits for it.
inline constexpr std::chrono::milliseconds kCircuitAfter{3000};
/// A server that has been throttled is trusted with more after each of these.
inline constexpr std::chrono::milliseconds kConnectStep{1000};
/// What a server that accepts connections this quickly makes of them says nothing.
inline constexpr std::chrono::milliseconds kConnectSlow{20};
/// Who waits for one of the parallel attempts to end looks again after about its duration.
inline constexpr std::chrono::milliseconds kConnectLookMin{2};
inline constexpr std::chrono::milliseconds kConnectLookMax{100};
/// Backends that may be lost in a row before anything of a request could be sent to one.
inline constexpr unsigned kMaxFreshAttempts = 3;
/// How often a cancel request that found all cancel connections taken tries again, until
/// cancel_wait_timeout.
inline constexpr std::chrono::milliseconds kCancelRetry{20};
/// A server that refuses to write may be where a name has led once: how often, at most, that makes
/// weirpool look the names up again before dns_max_ttl has passed.
inline constexpr std::chrono::milliseconds kLookUpAgain{1000};
/// So long newcomers wait, unseen, for one of limits.max_login_conn logins to come to its end.
inline constexpr std::chrono::milliseconds kLoginQueue{5000};
/// How often it is looked whether pools are filled, before the first client is sent.
inline constexpr std::chrono::milliseconds kReadyPoll{20};
/// How often idle backends are looked over for age.
inline constexpr std::chrono::milliseconds kSweepInterval{1000};
/// How long a client that has been told goodbye may take to close before it is cut off. Closing at
/// once would send a reset, and a reset can overtake the goodbye.
inline constexpr std::chrono::milliseconds kFarewellLinger{1000};
/// A server that has refused a login, or has said nothing in its time, may take so long to close.
inline constexpr std::chrono::milliseconds kLoginEndLinger{1000};
/// How often password files are looked at for the clients' sake.
inline constexpr std::chrono::milliseconds kPasswordFilePoll{1000};
/// How often a drain looks whether everybody has left.
inline constexpr std::chrono::milliseconds kDrainPoll{50};

/// SUSPEND waits this long for peers to take what has been read for them; then it is taken back.
inline constexpr std::chrono::milliseconds kSuspendPatience{10'000};
/// How often a suspension looks whether anybody is still there to end it.
inline constexpr std::chrono::milliseconds kSuspendLook{250};

/// A worker that has not swept for this long does not answer: the process is not live.
inline constexpr std::chrono::milliseconds kWorkerStuckAfter{10'000};

}  // namespace weirpool::config
