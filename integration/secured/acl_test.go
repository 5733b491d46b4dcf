package secured

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
)

// With exactly what the guide says an app runs, over client certificates; with any one less it ends, and says which. So it does when
// one is taken away while it runs.
func TestTheGuidesPermissionsAreEnoughAndAllNeeded(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.ClientCertificates(), kafkatest.ACLs(), kafkatest.OrSkip())
	rules, more := guide(t)
	strangers := connectWrong(t, c)
	byTheGuide(t, c)
	trimmed := permit(t, c, "trimmed", millrace.ExactlyOnce, slices.Concat(rules, more)) // every 30 s: they are looked at in the end
	grown := permit(t, c, "grown", millrace.ExactlyOnce, rules)
	trimmed.counts()
	grown.counts()
	t.Run("each", func(t *testing.T) {
		for _, g := range []millrace.Guarantee{millrace.ExactlyOnce, millrace.AtLeastOnce, millrace.AtMostOnce} {
			t.Run(g.String(), func(t *testing.T) { oneLess(t, c, g, rules) })
		}
		t.Run("literal", func(t *testing.T) { literal(t, c, rules) })
	})
	for how, s := range strangers {
		t.Run(how, func(t *testing.T) {
			err := await(t, "end of an app that cannot connect", s.ended)
			if unreachable, ok := errors.AsType[*millrace.UnreachableError](err); !ok || !strings.Contains(unreachable.Err.Error(), s.reason) {
				t.Errorf("the app ended with: %v; want no broker, and %q", err, s.reason)
			}
		})
	}
	t.Run("without Delete the app says that its repartition topics grow", func(t *testing.T) {
		trimmed.trimmed(t)
		grown.says(t, "they grow", "not allowed to Delete topic", "--operation Delete --topic grown- --resource-pattern-type prefixed")
		for _, p := range []*permitted{trimmed, grown} {
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(trimmed.log.String(), "they grow") {
			t.Error("the app that may delete records says that it may not")
		}
	})
}

// oneLess tries every rule that a guarantee needs.
func oneLess(t *testing.T, c *kafkatest.Cluster, g millrace.Guarantee, rules []rule) {
	t.Parallel()
	for i, less := range rules {
		if !less.needed(g) {
			continue
		}
		name := g.String() + "." + string(rune('a'+i))
		t.Run("without "+less.String(), func(t *testing.T) {
			t.Parallel()
			left := slices.Concat(rules[:i], rules[i+1:])
			p := permit(t, c, name, g, left)
			p.feed()
			p.endsWithout(less)
		})
		t.Run("taken away "+less.String(), func(t *testing.T) {
			t.Parallel()
			p := permit(t, c, name+".later", g, rules)
			p.counts()
			p.c.Revoke(less.acl(t, p.user.Principal(), p.app))
			if less.operation == "Create" { // its topics are there
				p.counts()
				return
			}
			p.feed()
			p.endsWithout(less)
		})
	}
}

// literal allows each topic by its name. Topics that somebody else has made need no Create, and a changelog is read only to restore
// state that is not on the disk.
func literal(t *testing.T, c *kafkatest.Cluster, rules []rule) {
	t.Parallel()
	const app = "literal"
	compact := "compact"
	c = c.In(t)
	c.CreateTopics(2, app+"-by-word-repartition")
	if _, err := c.Admin().CreateTopic(t.Context(), 2, -1, map[string]*string{"cleanup.policy": &compact}, app+"-counts-changelog"); err != nil {
		t.Fatal(err)
	}
	var named []rule
	for _, r := range rules {
		if r.resource != "Topic" || !r.prefixed {
			named = append(named, r)
		}
	}
	readChangelog := rule{"Topic", "APP-counts-changelog", false, "Read", "all"}
	named = append(named,
		rule{"Topic", "APP-by-word-repartition", false, "Read", "all"},
		rule{"Topic", "APP-by-word-repartition", false, "Write", "all"},
		rule{"Topic", "APP-counts-changelog", false, "Write", "all"})
	p := permit(t, c, app, millrace.ExactlyOnce, named)
	p.counts()
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(p.conf.StateDir); err != nil {
		t.Fatal(err)
	}
	p.run()
	err := p.ends()
	if what, _ := missing(err); what != "Read on topic literal-counts-changelog" {
		t.Errorf("the app ends with: %v; want what it may not read", err)
	}
	c.Allow(readChangelog.acl(t, p.user.Principal(), app))
	p.run()
	p.counts()
}

// A stranger is an app that cannot connect.
type stranger struct {
	reason string // that must be in the error
	ended  chan error
}

// connectWrong runs apps that miss what it takes to connect.
func connectWrong(t *testing.T, c *kafkatest.Cluster) map[string]stranger {
	t.Helper()
	nobody := *c.User("stranger")
	nobody.Certificate, nobody.Key = nil, nil
	strangers := map[string]stranger{}
	for how, s := range map[string]struct {
		reason string
		client []kgo.Opt
	}{
		"no encryption":   {"plaintext", nil},
		"no certificate":  {"certificate", nobody.Client()},
		"unknown brokers": {"authority", []kgo.Opt{kgo.DialTLS()}},
	} {
		conf := appConfig(t, c, "stranger")
		conf.Client = s.client
		app, stop := run(t, conf)
		ended := make(chan error, 1)
		strangers[how] = stranger{s.reason, ended}
		go func() {
			_ = app.WaitFor(context.Background(), millrace.Failed) // it cannot but fail
			ended <- stop()
		}()
	}
	return strangers
}

// byTheGuide has an administrator run the commands of the guide, and an app connect as it shows.
func byTheGuide(t *testing.T, c *kafkatest.Cluster) {
	t.Run("commands", func(t *testing.T) {
		c := c.In(t)
		commands, properties := guideCommands(t)
		tool := tools(t)
		const app = "word-count"
		c.CreateTopics(2, app+".in", app+".out")
		user, admin := c.User(app), c.User("admin")
		keep(t, map[string][]byte{
			"ca.pem": user.CA, "word-count.pem": user.Certificate, "word-count.key": user.Key,
			"admin.pem": slices.Concat(admin.Key, admin.Certificate), "admin.properties": properties,
		})
		for _, command := range commands {
			for i, arg := range command {
				switch arg {
				case "kafka-1:9093":
					command[i] = c.Brokers()[0]
				case "lines":
					command[i] = app + ".in"
				case "word-counts":
					command[i] = app + ".out"
				}
			}
			tool("org.apache.kafka.tools.AclCommand", command...)
		}
		conf := appConfig(t, c, app)
		if err := withCertificate(&conf); err != nil {
			t.Fatal(err)
		}
		_, stop := run(t, conf)
		write(c, app, 3, 5)
		counted(t, c, app, 3, 5)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A permitted is an app of its own, with a user of its own who may do what some rules say.
type permitted struct {
	t     *testing.T
	c     *kafkatest.Cluster
	app   string
	user  *kafkatest.User
	conf  millrace.Config
	log   *child.Tail
	round int
	ended chan error
	stop  func() error
}

// permit runs an app that has what its guarantee needs, as far as it is in the rules.
func permit(t *testing.T, c *kafkatest.Cluster, app string, g millrace.Guarantee, rules []rule) *permitted {
	t.Helper()
	p := &permitted{t: t, c: c.In(t), app: app}
	p.user = p.c.User(app)
	p.c.CreateTopics(2, app+".in", app+".out")
	for _, r := range rules {
		if r.needed(g) {
			p.c.Allow(r.acl(t, p.user.Principal(), app))
		}
	}
	p.conf = appConfig(t, p.c, app)
	p.conf.Client, p.conf.Guarantee, p.conf.OnStop = p.user.Client(), g, millrace.StopLeave
	p.conf.Logger, p.log = quietly(t)
	p.run()
	return p
}

func (p *permitted) run() {
	p.t.Helper()
	app, stop := run(p.t, p.conf)
	ended := make(chan error, 1)
	p.ended, p.stop = ended, stop
	go func() {
		_ = app.WaitFor(context.Background(), millrace.Failed) // or it was stopped
		ended <- stop()
	}()
}

// counts has the app count some words.
func (p *permitted) counts() {
	p.t.Helper()
	const words, each = 3, 5
	p.round++
	write(p.c, p.app, words, each)
	counted(p.t, p.c, p.app, words, p.round*each)
}

// feed writes records until the test ends, so that it does whatever it does to them.
func (p *permitted) feed() {
	p.t.Helper()
	feed(p.t, p.c, p.app+".in")
}

// ends waits until the app has failed.
func (p *permitted) ends() error {
	p.t.Helper()
	err := await(p.t, "end of the app", p.ended)
	if err == nil {
		p.t.Fatal("the app ended without an error")
	}
	return err
}

// endsWithout waits until the app has failed, and wants it to name what is missing, and the rule that allows it.
func (p *permitted) endsWithout(less rule) {
	p.t.Helper()
	err := p.ends()
	var denied *millrace.DeniedError
	if !errors.As(err, &denied) {
		p.t.Fatalf("without %v the app ends with: %v", less, err)
	}
	p.t.Log(err)
	if strings.ReplaceAll(denied.Resource, "-", "") != strings.ToLower(less.resource) || denied.Operation != less.operation {
		p.t.Errorf("without %v the app says that %s on %s is missing: %v", less, denied.Operation, denied.Resource, err)
	}
	if name := less.of(p.app); !strings.HasPrefix(denied.Name, name) || !strings.Contains(denied.Rule, " "+name) {
		p.t.Errorf("without %v on %s the app names %s, and the rule %s", less, name, denied.Name, denied.Rule)
	}
	if strings.Contains(denied.Rule, "prefixed") != less.prefixed {
		p.t.Errorf("without %v the app wants the rule %s", less, denied.Rule)
	}
}

// trimmed waits until what is processed of the repartition topic is deleted.
func (p *permitted) trimmed(t *testing.T) {
	t.Helper()
	p.waits(t, "records of the repartition topic are deleted", func() bool {
		starts, err := p.c.Admin().ListStartOffsets(t.Context(), p.app+"-by-word-repartition")
		if err != nil {
			t.Fatal(err)
		}
		some := false
		starts.Each(func(o kadm.ListedOffset) { some = some || o.Offset > 0 })
		return some
	})
}

// says waits until the app has logged some words.
func (p *permitted) says(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		p.waits(t, "the log has: "+w, func() bool { return strings.Contains(p.log.String(), w) })
	}
}

// waits asks until something is so.
func (p *permitted) waits(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
