package millrace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/topology"
)

// topics knows the topics of an app: full names, partition counts, and which tasks follow from them.
type topics struct {
	app  string
	plan *graph.Plan
	cl   *kgo.Client // requests to any broker
	adm  *kadm.Client

	mu     sync.Mutex
	count  map[string]int32 // partitions by full name
	hidden map[string]error // topics that the app may not even describe; while starting

	sources [][]string // full names of the source topics by subtopology, sorted
}

// topicPatience is how long a starting app waits for a missing source topic to appear.
const topicPatience = 2 * time.Second

// resolveTopics looks up every topic the plan names, finds the partition counts of internal ones, and creates or checks those.
func (p *process) resolveTopics(ctx context.Context) (*topics, error) {
	t := &topics{app: p.cfg.ApplicationID, plan: p.plan, cl: p.admin, adm: p.adm, count: map[string]int32{}}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// A topic made a moment ago may not be known to every broker yet.
	for began := time.Now(); ; {
		if err := t.look(ctx); err != nil {
			return nil, fmt.Errorf("millrace: list topics: %w", err)
		}
		err := t.resolveSources(p)
		if err == nil {
			break
		}
		if time.Since(began) >= topicPatience || ctx.Err() != nil {
			return nil, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	internal, err := t.internalTopics()
	if err != nil {
		return nil, err
	}
	if err := t.create(ctx, p, internal); err != nil {
		return nil, err
	}
	return t, nil
}

// look lists all topics. A topic that may not be described is not listed: it is asked for by name, to be told from one that is
// not there.
func (t *topics) look(ctx context.Context) error {
	found, err := t.adm.ListTopics(ctx)
	if err != nil {
		return err
	}
	for name, d := range found {
		if d.Err == nil {
			t.count[name] = int32(len(d.Partitions))
		}
	}
	var missing []string
	for _, n := range t.plan.Nodes {
		for _, topic := range n.Topics {
			if topic.Name != "" && !topic.Repartition && t.count[topic.Name] == 0 {
				missing = append(missing, topic.Name)
			}
		}
	}
	for _, g := range t.plan.Globals {
		if t.count[g.Topic] == 0 {
			missing = append(missing, g.Topic)
		}
	}
	t.hidden = map[string]error{}
	if len(missing) == 0 {
		return nil
	}
	if found, err = describeTopics(ctx, t.cl, missing...); err != nil {
		return err
	}
	for name, d := range found {
		if errors.Is(d.Err, kerr.TopicAuthorizationFailed) {
			t.hidden[name] = d.Err
		}
	}
	return nil
}

// resolveSources turns names and patterns into full names, and reports external topics that are missing.
func (t *topics) resolveSources(p *process) error {
	var errs []error
	t.sources = make([][]string, len(t.plan.Subs)) // a second look begins anew
	for i, sub := range t.plan.Subs {
		for _, n := range sub.Nodes {
			for _, topic := range n.Topics {
				switch {
				case topic.Pattern != "":
					re, err := regexp.Compile("^(?:" + topic.Pattern + ")$")
					if err != nil {
						return &TopicError{topic.Pattern, topic.At, "is not a regular expression: " + err.Error(), "mend it", err}
					}
					for name := range t.count {
						if re.MatchString(name) && !strings.HasPrefix(name, "__") && !strings.HasPrefix(name, t.app+"-") {
							t.sources[i] = append(t.sources[i], name)
						}
					}
				case topic.Repartition:
				case t.hidden[topic.Name] != nil && n.Source != nil:
					errs = append(errs, p.denied(t.hidden[topic.Name], topic.Name, "Read"))
				case t.hidden[topic.Name] != nil:
					errs = append(errs, p.denied(t.hidden[topic.Name], topic.Name, "Write"))
				case topic.Name != "" && t.count[topic.Name] == 0:
					errs = append(errs, &TopicError{topic.Name, topic.At, "does not exist", "create it before the app starts, with the partitions you want to scale to", kerr.UnknownTopicOrPartition})
				}
				if n.Source != nil && topic.Pattern == "" {
					t.sources[i] = append(t.sources[i], topic.Full(t.app))
				}
			}
		}
		slices.Sort(t.sources[i])
		t.sources[i] = slices.Compact(t.sources[i])
	}
	for _, g := range t.plan.Globals {
		if t.hidden[g.Topic] != nil {
			errs = append(errs, p.denied(t.hidden[g.Topic], g.Topic, "Read"))
		} else if t.count[g.Topic] == 0 {
			errs = append(errs, &TopicError{g.Topic, g.Node.At, "does not exist", "create it before the app starts, compacted", kerr.UnknownTopicOrPartition})
		}
	}
	return errors.Join(errs...)
}

// internalTopic is a topic the app creates.
type internalTopic struct {
	name    string
	count   int32
	configs map[string]string
	policy  string // cleanup.policy it must have
}

// internalTopics finds the partition counts of the internal topics: those of repartition topics follow from what is upstream, or
// from the topics they must be co-partitioned with.
func (t *topics) internalTopics() ([]internalTopic, error) {
	repartition := map[string]*graph.Topic{}
	for _, n := range t.plan.Nodes {
		for _, topic := range n.Topics {
			if topic.Repartition {
				repartition[topic.Full(t.app)] = topic
			}
		}
	}
	want := map[string]int32{}
	for name, topic := range repartition {
		want[name] = int32(topic.Partitions)
	}
	countOf := func(name string) int32 {
		if repartition[name] != nil {
			return want[name]
		}
		return t.count[name]
	}
	// Partition counts flow from sources to sinks; each round settles at least one more topic.
	for range len(repartition) + 1 {
		for i, sub := range t.plan.Subs {
			var most int32
			settled := true
			for _, s := range t.sources[i] {
				most = max(most, countOf(s))
				settled = settled && countOf(s) > 0
			}
			for _, n := range sub.Nodes {
				if n.Source != nil || !settled {
					continue
				}
				for _, topic := range n.Topics {
					if name := topic.Full(t.app); topic.Repartition && topic.Partitions == 0 && want[name] == 0 {
						want[name] = most
					}
				}
			}
		}
		for _, sub := range t.plan.Subs {
			for _, g := range sub.Groups {
				t.adopt(g, want, repartition)
			}
		}
	}
	for _, sub := range t.plan.Subs {
		for _, g := range sub.Groups {
			if err := t.checkCopartition(g, countOf); err != nil {
				return nil, err
			}
		}
	}
	var list []internalTopic
	for name := range repartition {
		if want[name] == 0 {
			return nil, &TopicError{name, repartition[name].At, "has no number of partitions: nothing upstream says one", "give it with kstream.Partitions(n)", nil}
		}
		list = append(list, internalTopic{name, want[name], map[string]string{
			"cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": "52428800", "message.timestamp.type": "CreateTime"}, "delete"})
	}
	for i, sub := range t.plan.Subs {
		var most int32
		for _, s := range t.sources[i] {
			most = max(most, countOf(s))
		}
		for _, s := range sub.Stores {
			if s.Logged() {
				list = append(list, changelogTopic(t.app, s, most))
			}
		}
	}
	slices.SortFunc(list, func(a, b internalTopic) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

func changelogTopic(app string, s *decl.Store, count int32) internalTopic {
	configs := map[string]string{"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
	if s.Kind == decl.Window || s.Kind == decl.Session { // what has expired need not stay; a day more for a clock that runs ahead
		configs["cleanup.policy"] = "compact,delete"
		configs["retention.ms"] = retention(s.Retention)
	}
	if s.Duplicates { // each value is a record of its own, and none replaces another: there is nothing to compact
		configs["cleanup.policy"] = "delete"
	}
	if s.Kind == decl.Versioned { // a restore needs each version that may be asked for; a day more for a clock that runs ahead
		configs["min.compaction.lag.ms"] = strconv.FormatInt((s.History + 24*time.Hour).Milliseconds(), 10)
	}
	for k, v := range s.TopicConfig {
		configs[k] = v
	}
	policy := "compact"
	if s.Duplicates {
		policy = "delete"
	}
	return internalTopic{graph.Changelog(app, s), count, configs, policy}
}

// retention returns how long a changelog keeps what a store keeps for d, in milliseconds.
func retention(d time.Duration) string {
	const spare = 24 * time.Hour
	if d > math.MaxInt64-spare {
		return "-1" // for ever
	}
	return strconv.FormatInt((d + spare).Milliseconds(), 10)
}

// adopt gives repartition topics without a number of their own that of the topics they must match.
func (t *topics) adopt(g graph.Copartition, want map[string]int32, repartition map[string]*graph.Topic) {
	var n int32
	for _, topic := range g.Topics {
		name := topic.Full(t.app)
		if topic.Partitions > 0 {
			n = int32(topic.Partitions)
		} else if repartition[name] == nil {
			n = t.count[name]
		}
		if n > 0 {
			break
		}
	}
	if n == 0 {
		for _, topic := range g.Topics {
			n = max(n, want[topic.Full(t.app)])
		}
	}
	for _, topic := range g.Topics {
		if name := topic.Full(t.app); repartition[name] != nil && topic.Partitions == 0 {
			want[name] = n
		}
	}
}

// checkCopartition refuses topics of one group with different numbers of partitions. Those behind a pattern are known one by one
// only, and are left to their creator.
func (t *topics) checkCopartition(g graph.Copartition, countOf func(string) int32) error {
	var first string
	for _, topic := range g.Topics {
		name := topic.Full(t.app)
		if topic.Pattern != "" {
			continue
		}
		if first == "" {
			first = name
		}
		if a, b := countOf(first), countOf(name); a != b {
			return &TopicError{name, g.At, fmt.Sprintf("has %d partitions, %q has %d, and %s needs equal keys of both in one task", b, first, a, g.Node),
				"send one of them through Repartition, or create both with the same number", ErrPartitions}
		}
	}
	return nil
}

// create makes the internal topics that are missing and checks those that exist.
func (t *topics) create(ctx context.Context, p *process, internal []internalTopic) error {
	var existing []internalTopic
	for _, it := range internal {
		have := t.count[it.name]
		if have == 0 {
			configs := map[string]*string{}
			for _, m := range []map[string]string{it.configs, p.cfg.TopicConfig} {
				for k, v := range m {
					configs[k] = kadm.StringPtr(v)
				}
			}
			replication := p.cfg.Replication
			if replication == 0 {
				replication = -1
			}
			resp, err := p.adm.CreateTopic(ctx, it.count, replication, configs, it.name)
			if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
				if err == nil {
					p.log.Info("millrace: created topic", "topic", it.name, "partitions", it.count)
				} else if have, err = t.await(ctx, p, it.name); err != nil {
					return err
				}
				t.set(it.name, it.count)
				if err == nil && have == 0 {
					continue
				}
			} else if denied := p.denied(err, it.name, "Create"); denied != nil {
				return denied
			} else {
				return &TopicError{it.name, "", fmt.Sprintf("cannot be created: %v %s", err, resp.ErrMessage), "allow the app to create topics that begin with its application id, or create it yourself", err}
			}
		}
		if have != it.count {
			return &TopicError{it.name, "", fmt.Sprintf("has %d partitions, this topology needs %d", have, it.count),
				"it was made for other source partitions: go back to those, or reset the app (delete its internal topics and its group)", ErrPartitions}
		}
		existing = append(existing, it)
	}
	if err := t.checkPolicies(ctx, existing); err != nil {
		return err
	}
	for _, it := range internal {
		if _, err := t.await(ctx, p, it.name); err != nil {
			return err
		}
	}
	return nil
}

// await waits until a topic that was just created is known to the broker, and returns its partitions.
func (t *topics) await(ctx context.Context, p *process, name string) (int32, error) {
	for {
		found, err := describeTopics(ctx, t.cl, name)
		if d, ok := found[name]; err == nil && ok && d.Err == nil && len(d.Partitions) > 0 && led(d) {
			t.set(name, int32(len(d.Partitions)))
			return int32(len(d.Partitions)), nil
		} else if denied := p.denied(d.Err, name, "Read"); denied != nil {
			return 0, denied
		}
		select {
		case <-ctx.Done():
			return 0, &TopicError{name, "", "was created but no broker knows it", "look at the state of the cluster", ctx.Err()}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// led reports whether every partition has a leader.
func led(d kadm.TopicDetail) bool {
	for _, p := range d.Partitions {
		if p.Leader < 0 || p.Err != nil {
			return false
		}
	}
	return true
}

// checkPolicies refuses a changelog that is not compacted (it would lose rows) and a repartition topic that is (it would lose records).
func (t *topics) checkPolicies(ctx context.Context, existing []internalTopic) error {
	if len(existing) == 0 {
		return nil
	}
	var names []string
	for _, it := range existing {
		names = append(names, it.name)
	}
	settings, err := topicSettings(ctx, t.cl, names...)
	if err != nil {
		return fmt.Errorf("millrace: read the settings of %v: %w", names, err)
	}
	for _, it := range existing {
		if policy, seen := settings[it.name]["cleanup.policy"]; seen && !strings.Contains(policy, it.policy) {
			return &TopicError{it.name, "", fmt.Sprintf("has cleanup.policy=%s, it must be %s", policy, it.policy), "change it with kafka-configs.sh", nil}
		}
	}
	return nil
}

func (t *topics) set(name string, n int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[name] = n
}

// partitions returns the number of partitions of a topic; for one not seen before (a topic chosen per record) it asks.
func (t *topics) partitions(name string) int32 {
	t.mu.Lock()
	n, known := t.count[name]
	t.mu.Unlock()
	if known {
		return n
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if found, err := describeTopics(ctx, t.cl, name); err == nil {
		n = int32(len(found[name].Partitions))
	}
	if n > 0 {
		t.set(name, n)
	}
	return n
}

// all returns the source topics of all subtopologies.
func (t *topics) all() []string {
	var list []string
	for _, s := range t.sources {
		list = append(list, s...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// widest returns the number of tasks of a subtopology: that of its source topic with the most partitions.
func (t *topics) widest(sub int) (n int32) {
	for i, s := range t.plan.Subs {
		if s.ID == sub {
			for _, name := range t.sources[i] {
				n = max(n, t.partitions(name))
			}
		}
	}
	return n
}

// tasks returns every task of the app, with its inputs.
func (t *topics) tasks() map[topology.TaskID][]task.TP {
	m := map[topology.TaskID][]task.TP{}
	for i, sources := range t.sources {
		for _, name := range sources {
			for part := range t.partitions(name) {
				id := topology.TaskID{Subtopology: t.plan.Subs[i].ID, Partition: part}
				m[id] = append(m[id], task.TP{Topic: name, Partition: part})
			}
		}
	}
	return m
}
