package fakealb

import (
	"github.com/proxychaos/proxychaos/fakealb/cloud"
)

// own is the response of the load balancer itself for a cause. Status is the one with
// which an ALB answers (2.4.1 D).
func (lb *LoadBalancer) own(cause cloud.Cause, status int) response {
	return generated(cloud.Of(lb.Cloud).Own(cloud.Reason{
		Cause: cause, ALB: status, Status: lb.OwnStatuses[cause], Old: lb.ErrorBody == ErrorBodyPre2020,
	}))
}

// refused is the response of the load balancer itself with that status.
func (lb *LoadBalancer) refused(status int) response { return lb.own(cloud.Refused, status) }

// generated is an answer of a load balancer's own as a response.
func generated(a cloud.Answer) response {
	return response{
		status: a.Status, reason: a.Reason, lead: fieldsOf(a.Lead), contentType: a.ContentType,
		trail: fieldsOf(a.Trail), body: a.Body, close: a.Close,
	}
}

func fieldsOf(list []cloud.Field) []field {
	var out []field
	for _, f := range list {
		out = append(out, field{f.Name, f.Value})
	}
	return out
}
