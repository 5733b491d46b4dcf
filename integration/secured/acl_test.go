package secured

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
)

var guarantees = []millrace.Guarantee{millrace.ExactlyOnce, millrace.AtLeastOnce, millrace.AtMostOnce}

// With exactly what the guide says an app runs, over client certificates; with any one less it ends, and says which. So it does when
// one is taken away while it runs.
func TestTheGuidesPermissionsAreEnoughAndAllNeeded(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.ClientCertificates(), kafkatest.ACLs(), kafkatest.OrSkip())
	rules := guide(t)
	for _, g := range guarantees {
		t.Run(g.String(), func(t *testing.T) {
			t.Run("all", func(t *testing.T) { permit(t, c, "all", g, rules, nil).counts() })
			for i, less := range rules {
				if !less.needed(g) {
					continue
				}
				name := g.String() + string(rune('a'+i))
				t.Run("without "+less.String(), func(t *testing.T) {
					p := permit(t, c, name, g, rules, &less)
					p.feed()
					p.ends(less)
				})
				t.Run("taken away "+less.String(), func(t *testing.T) {
					p := permit(t, c, name+"-later", g, rules, nil)
					p.counts()
					c.In(t).Revoke(less.acl(t, p.user.Principal(), p.app))
					if less.operation == "Create" { // its topics are there
						p.counts()
						return
					}
					p.feed()
					p.ends(less)
				})
			}
		})
	}
}

// A permitted is an app of its own, with a user of its own who may do what the rules say.
type permitted struct {
	t     *testing.T
	c     *kafkatest.Cluster
	app   string
	user  *kafkatest.User
	round int
	ended chan error
}

// permit runs an app that has what its guarantee needs, but for one rule.
func permit(t *testing.T, c *kafkatest.Cluster, name string, g millrace.Guarantee, rules []rule, less *rule) *permitted {
	t.Helper()
	p := &permitted{t: t, c: c.In(t), app: name + "." + g.String(), ended: make(chan error, 1)}
	p.user = p.c.User(p.app)
	p.c.CreateTopics(2, p.app+".in", p.app+".out")
	for _, r := range rules {
		if r.needed(g) && (less == nil || r != *less) {
			p.c.Allow(r.acl(t, p.user.Principal(), p.app))
		}
	}
	conf := appConfig(t, p.c, p.app)
	conf.Client, conf.Guarantee = p.user.Client(), g
	app, stop := run(t, conf)
	go func() {
		ctx := context.WithoutCancel(t.Context())
		_ = app.WaitFor(ctx, millrace.Failed) // or it was stopped
		p.ended <- stop()
	}()
	return p
}

// counts has the app count some words.
func (p *permitted) counts() {
	p.t.Helper()
	const words, each = 3, 5
	p.round++
	write(p.c, p.app, words, each)
	counted(p.t, p.c, p.app, words, p.round*each)
}

// feed writes records until the app ends, so that it does whatever it does to them.
func (p *permitted) feed() {
	p.t.Helper()
	cl, err := kgo.NewClient(p.c.Options()...)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(p.t.Context())
	fed := make(chan error, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var err error
		for ctx.Err() == nil && err == nil {
			err = cl.ProduceSync(context.WithoutCancel(ctx), &kgo.Record{Topic: p.app + ".in", Key: []byte("key"), Value: []byte("word")}).FirstErr()
			<-tick.C
		}
		fed <- err
	}()
	p.t.Cleanup(func() {
		stop()
		if err := <-fed; err != nil {
			p.t.Error(err)
		}
		cl.Close()
	})
}

// ends waits until the app has failed, and wants it to name what is missing, and the rule that allows it.
func (p *permitted) ends(less rule) {
	p.t.Helper()
	err := await(p.t, "end of an app without "+less.String(), p.ended)
	var denied *millrace.DeniedError
	if !errors.As(err, &denied) {
		p.t.Fatalf("without %v the app ends with: %v", less, err)
	}
	p.t.Log(err)
	if !strings.EqualFold(denied.Resource, strings.ReplaceAll(less.resource, "lI", "l-I")) || denied.Operation != less.operation {
		p.t.Errorf("without %v the app says that %s on %s is missing: %v", less, denied.Operation, denied.Resource, err)
	}
	if name := less.of(p.app); !strings.HasPrefix(denied.Name, name) || !strings.Contains(denied.Rule, " "+name) {
		p.t.Errorf("without %v on %s the app names %s, and the rule %s", less, name, denied.Name, denied.Rule)
	}
	if strings.Contains(denied.Rule, "prefixed") != less.prefixed {
		p.t.Errorf("without %v the app wants the rule %s", less, denied.Rule)
	}
}
