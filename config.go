package millrace

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/topology"
)

// Config says how to run an app. Only ApplicationID and Brokers are required.
type Config struct {
	ApplicationID string   // group id, and prefix of internal topics and transactional ids
	Brokers       []string // seed brokers, host:port

	Guarantee          Guarantee     // default ExactlyOnce
	CommitInterval     time.Duration // longest time between commits; default 100 ms. Commits come earlier when the input is drained; AtMostOnce commits per batch
	TransactionTimeout time.Duration // after which Kafka aborts a transaction of a dead process; default 10 s, more than CommitInterval
	SessionTimeout     time.Duration // after which the group gives a silent process's tasks away; default 10 s

	Workers  int           // goroutines that process, each with its own transactions; default GOMAXPROCS
	StateDir string        // of all stores; default millrace/<application id> under os.UserCacheDir
	Memory   int64         // bytes for caches, memtables, uncommitted writes and buffers; default 256 MiB, at least 16 MiB
	MaxIdle  time.Duration // wait this long for a lagging input, to keep event-time order; default 0: only until it is proven empty

	InstanceID string   // static membership; default the process id kept in StateDir
	OnStop     StopMode // what happens to the group's place when Run ends

	Replication int16             // of internal topics; default the broker's
	TopicConfig map[string]string // of internal topics, over the library's settings

	OnError topology.ErrorPolicy // records that cannot be decoded, processed or written; default Fail
	Around  topology.Around      // wraps each step's handling of records, for tracing; default nothing
	Events  *Events              // default none
	Logger  *slog.Logger         // default slog.Default
	Client  []kgo.Opt            // TLS, SASL, dialer, compression of the Kafka clients; group, ids, isolation and offsets are ours
}

// Guarantee says how often the effects of a record happen: changes of state, output, and the move of the input's offset.
// User code may run more than once under every guarantee but AtMostOnce, so it should be deterministic or idempotent.
type Guarantee uint8

const (
	// ExactlyOnce puts state, output and offsets into one Kafka transaction.
	ExactlyOnce Guarantee = iota
	// AtLeastOnce uses no transactions: after a crash, records since the last commit take effect again.
	AtLeastOnce
	// AtMostOnce commits offsets first: after a crash, the batch in hand takes no effect.
	AtMostOnce
)

func (g Guarantee) String() string {
	switch g {
	case ExactlyOnce:
		return "exactly-once"
	case AtLeastOnce:
		return "at-least-once"
	case AtMostOnce:
		return "at-most-once"
	}
	return fmt.Sprintf("Guarantee(%d)", uint8(g))
}

// StopMode says what happens to a process's place in the group when Run ends.
type StopMode uint8

const (
	// StopDefault keeps the place of an app with stores, so that a restart on the same disk gets its tasks back without a
	// rebalance, and leaves at once otherwise.
	StopDefault StopMode = iota
	// StopLeave leaves the group: other processes take the tasks over at once.
	StopLeave
	// StopKeepPlace keeps the place until the session timeout.
	StopKeepPlace
)

// ConfigError is a setting that cannot work, and what to do about it.
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return "millrace: Config." + e.Field + ": " + e.Problem }

var legalID = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,200}$`)

// withDefaults returns the config with every field set, or all its errors.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(field, format string, a ...any) {
		errs = append(errs, &ConfigError{field, fmt.Sprintf(format, a...)})
	}
	switch {
	case c.ApplicationID == "":
		bad("ApplicationID", "is empty: give the app a name; it becomes its consumer group and the prefix of its topics")
	case !legalID.MatchString(c.ApplicationID):
		bad("ApplicationID", "%q cannot be part of a topic name: use 1 to 200 of a-z A-Z 0-9 . _ -", c.ApplicationID)
	}
	if len(c.Brokers) == 0 {
		bad("Brokers", "is empty: name at least one broker as host:port")
	}
	if c.Guarantee > AtMostOnce {
		bad("Guarantee", "%d is none of ExactlyOnce, AtLeastOnce, AtMostOnce", c.Guarantee)
	}
	if c.OnStop > StopKeepPlace {
		bad("OnStop", "%d is none of StopDefault, StopLeave, StopKeepPlace", c.OnStop)
	}
	def := func(d *time.Duration, field string, v time.Duration) {
		if *d < 0 {
			bad(field, "%v is negative", *d)
		}
		if *d == 0 {
			*d = v
		}
	}
	def(&c.CommitInterval, "CommitInterval", 100*time.Millisecond)
	def(&c.TransactionTimeout, "TransactionTimeout", 10*time.Second)
	def(&c.SessionTimeout, "SessionTimeout", 10*time.Second)
	if c.Guarantee == ExactlyOnce && c.TransactionTimeout <= c.CommitInterval {
		bad("TransactionTimeout", "%v is not longer than CommitInterval (%v): Kafka would abort every transaction before its commit; raise it or commit more often", c.TransactionTimeout, c.CommitInterval)
	}
	if c.MaxIdle < 0 {
		bad("MaxIdle", "%v is negative", c.MaxIdle)
	}
	if c.Workers < 0 {
		bad("Workers", "%d is negative", c.Workers)
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case c.Memory == 0:
		c.Memory = 256 << 20
	case c.Memory < 16<<20:
		bad("Memory", "%d bytes is too little to run: give at least 16 MiB", c.Memory)
	}
	if c.Replication < 0 {
		bad("Replication", "%d is negative", c.Replication)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Events == nil {
		c.Events = &Events{}
	}
	if c.StateDir == "" && c.ApplicationID != "" {
		if cache, err := os.UserCacheDir(); err == nil {
			c.StateDir = filepath.Join(cache, "millrace", c.ApplicationID)
		}
	}
	return c, errors.Join(errs...)
}
