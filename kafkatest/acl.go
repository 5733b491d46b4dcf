package kafkatest

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Allow makes ACLs, and returns when every broker has heard of them.
//
//	c.Allow(kadm.NewACLs().Allow(alice.Principal()).AllowHosts("*").
//		ResourcePatternType(kadm.ACLPatternLiteral).Topics("orders").Operations(kadm.OpRead))
func (c *Cluster) Allow(acls *kadm.ACLBuilder) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	results, err := c.Admin().CreateACLs(ctx, acls)
	if err != nil {
		c.t.Fatalf("kafkatest: Allow: %v", err)
	}
	want := map[string]bool{}
	for _, r := range results {
		if r.Err != nil {
			c.t.Fatalf("kafkatest: Allow: %v %s", r.Err, r.ErrMessage)
		}
		want[rule(r.Principal, r.Host, r.Type, r.Name, r.Pattern, r.Operation, r.Permission)] = true
	}
	c.awaitRules(ctx, "Allow", want)
}

// Revoke removes all ACLs that match, and returns when every broker has heard of it.
func (c *Cluster) Revoke(acls *kadm.ACLBuilder) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	results, err := c.Admin().DeleteACLs(ctx, acls)
	if err != nil {
		c.t.Fatalf("kafkatest: Revoke: %v", err)
	}
	want, n := map[string]bool{}, 0
	for _, r := range results {
		if r.Err != nil {
			c.t.Fatalf("kafkatest: Revoke: %v %s", r.Err, r.ErrMessage)
		}
		for _, d := range r.Deleted {
			if d.Err != nil {
				c.t.Fatalf("kafkatest: Revoke: %v %s", d.Err, d.ErrMessage)
			}
			want[rule(d.Principal, d.Host, d.Type, d.Name, d.Pattern, d.Operation, d.Permission)] = false
			n++
		}
	}
	if n == 0 {
		c.t.Fatal("kafkatest: Revoke: no ACL matches")
	}
	c.awaitRules(ctx, "Revoke", want)
}

// rule is an ACL as a text.
func rule(principal, host string, resource kmsg.ACLResourceType, name string, pattern kmsg.ACLResourcePatternType, op kmsg.ACLOperation, permission kmsg.ACLPermissionType) string {
	return fmt.Sprintf("%s from %s on %v %v %s: %v %v", principal, host, resource, pattern, name, permission, op)
}

// awaitRules asks each broker until it has the rules that are true, and has not those that are false.
func (c *Cluster) awaitRules(ctx context.Context, verb string, want map[string]bool) {
	c.t.Helper()
	client := c.inside()
	for _, node := range c.nodes {
		for {
			have, err := rulesOf(ctx, client, node)
			if err == nil && agree(have, want) {
				break
			}
			if ctx.Err() != nil {
				c.t.Fatalf("kafkatest: %s: broker %d has not heard of it: %v", verb, node, err)
			}
			pause(ctx, 20*time.Millisecond)
		}
	}
}

func agree(have, want map[string]bool) bool {
	for r, yes := range want {
		if have[r] != yes {
			return false
		}
	}
	return true
}

// rulesOf returns the rules that one broker knows.
func rulesOf(ctx context.Context, client *kgo.Client, node int32) (map[string]bool, error) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType = kmsg.ACLResourceTypeAny
	req.ResourcePatternType = kmsg.ACLResourcePatternTypeAny
	req.Operation = kmsg.ACLOperationAny
	req.PermissionType = kmsg.ACLPermissionTypeAny
	answer, err := client.Broker(int(node)).RetriableRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	rules := map[string]bool{}
	for _, r := range answer.(*kmsg.DescribeACLsResponse).Resources {
		for _, a := range r.ACLs {
			rules[rule(a.Principal, a.Host, r.ResourceType, r.ResourceName, r.ResourcePatternType, a.Operation, a.PermissionType)] = true
		}
	}
	return rules, nil
}
