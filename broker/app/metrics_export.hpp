// Which metric shows which figure of which module: the names of docs/operations.md.
#pragma once

#include "broker/api/api_server.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/engine/engine.hpp"
#include "broker/observe/metrics.hpp"

namespace godwit {

// The measured share of each channel and manufacturer: what devices said, else what the vendor says. What is only known
// to be accepted, or still waits for its first outcome, has none.
void export_rates(MetricSink& sink, const RateView& view);

// Everything handed over outlives `metrics`' last render().
void export_engine(Metrics& metrics, Engine& engine);
void export_channels(Metrics& metrics, const channels::PluginHost& host);
void export_api(Metrics& metrics, const ApiServer& api);
void export_commits(Metrics& metrics, const SecondsHistogram& commits, const GroupCommit& group_commit);

}  // namespace godwit
