package secured

import (
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace"
)

// A rule is a row of the guide's table.
type rule struct {
	resource  string
	name      string // APP stands for the application id, SOURCE and SINK for its topics
	prefixed  bool
	operation string
	guarantee string // "all", or the only one that needs it
}

// guide reads the permissions that docs/secured.md says an app needs, and those that it can go without. The tests have no list of
// their own.
func guide(t *testing.T) (needed, more []rule) {
	t.Helper()
	text := guideText(t)
	needed = table(text, "| resource | name | pattern | operation | guarantee | for |\n")
	more = table(text, "| resource | name | pattern | operation | guarantee | without it |\n")
	if len(needed) < 5 || len(more) < 2 {
		t.Fatalf("docs/secured.md has tables of %d and %d permissions", len(needed), len(more))
	}
	return needed, more
}

func guideText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/secured.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// guideCommands returns the arguments of each kafka-acls.sh that the guide shows, and how it has the administrator connect.
func guideCommands(t *testing.T) (commands [][]string, properties []byte) {
	t.Helper()
	text := guideText(t)
	for line := range strings.Lines(text) {
		if args, ok := strings.CutPrefix(line, "kafka-acls.sh "); ok {
			commands = append(commands, strings.Fields(args))
		}
	}
	_, block, found := strings.Cut(text, "\n```properties\n")
	block, _, closed := strings.Cut(block, "```\n")
	if len(commands) == 0 || !found || !closed {
		t.Fatal("docs/secured.md has lost its commands")
	}
	return commands, []byte(block)
}

// table reads the rows below a head.
func table(text, head string) (rules []rule) {
	_, rows, _ := strings.Cut(text, head)
	for line := range strings.Lines(rows) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 {
			break
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `\n")
		}
		if !strings.HasPrefix(cells[1], "--") {
			rules = append(rules, rule{cells[1], cells[2], cells[3] == "prefixed", cells[4], cells[5]})
		}
	}
	return rules
}

// needed reports whether an app with a guarantee needs the rule.
func (r rule) needed(g millrace.Guarantee) bool {
	return r.guarantee == "all" || strings.ReplaceAll(r.guarantee, " ", "-") == g.String()
}

// of returns the name for one app.
func (r rule) of(app string) string {
	return strings.NewReplacer("APP", app, "SOURCE", app+".in", "SINK", app+".out").Replace(r.name)
}

func (r rule) String() string {
	pattern := ""
	if r.prefixed {
		pattern = "*"
	}
	return r.operation + " " + r.resource + " " + r.name + pattern
}

// acl is the rule as Kafka takes it.
func (r rule) acl(t *testing.T, principal, app string) *kadm.ACLBuilder {
	t.Helper()
	op, err := kmsg.ParseACLOperation(r.operation)
	if err != nil {
		t.Fatalf("docs/secured.md: %v", err)
	}
	b := kadm.NewACLs().Allow(principal).AllowHosts("*").Operations(op).ResourcePatternType(kadm.ACLPatternLiteral)
	if r.prefixed {
		b.ResourcePatternType(kadm.ACLPatternPrefixed)
	}
	switch name := r.of(app); r.resource {
	case "Topic":
		return b.Topics(name)
	case "Group":
		return b.Groups(name)
	case "TransactionalId":
		return b.TransactionalIDs(name)
	}
	t.Fatalf("docs/secured.md: no resource %s", r.resource)
	return nil
}
