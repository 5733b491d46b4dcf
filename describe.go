package millrace

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The admin client refuses a whole answer for one topic that may not be looked at. Here each topic has its own error, so that it
// can be named.

// describeTopics returns what the cluster says of topics, one that does not exist or may not be described with its error.
func describeTopics(ctx context.Context, cl *kgo.Client, names ...string) (kadm.TopicDetails, error) {
	found := kadm.TopicDetails{}
	if len(names) == 0 {
		return found, nil // asked for none, Kafka answers with all
	}
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		d := kadm.TopicDetail{Topic: *t.Topic, ID: t.TopicID, Partitions: kadm.PartitionDetails{}, Err: kerr.ErrorForCode(t.ErrorCode)}
		for _, p := range t.Partitions {
			d.Partitions[p.Partition] = kadm.PartitionDetail{Topic: d.Topic, Partition: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, Err: kerr.ErrorForCode(p.ErrorCode)}
		}
		found[d.Topic] = d
	}
	return found, nil
}

// topicSettings returns the settings of topics. One whose settings may not be seen (DescribeConfigs) is left out: nothing depends
// on it but checks, and a default is near enough.
func topicSettings(ctx context.Context, cl *kgo.Client, names ...string) (map[string]map[string]string, error) {
	settings := map[string]map[string]string{}
	if len(names) == 0 {
		return settings, nil
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, name
		req.Resources = append(req.Resources, r)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	for _, r := range resp.Resources {
		if r.ErrorCode != 0 {
			continue
		}
		m := map[string]string{}
		for _, c := range r.Configs {
			if c.Value != nil {
				m[c.Name] = *c.Value
			}
		}
		settings[r.ResourceName] = m
	}
	return settings, nil
}
