using LoraServe.Serving.Cache;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Scheduling;

/// <summary>What is fixed of a request when it comes in, whatever it asks for.</summary>
/// <param name="Options">What the caller said.</param>
/// <param name="Adapters">The exact versions that it runs on.</param>
/// <param name="ActiveFrom">First position that each adapter acts on.</param>
/// <param name="AdapterLabel">What its adapters are called in metrics.</param>
/// <param name="Salts">What its pages are keyed by besides tokens.</param>
/// <param name="LengthFreeContext">Longest prompt whose keys do not depend on its length; those of a rope that stretches with the sequence do beyond it.</param>
/// <param name="TurnsAnewBeyond">Length beyond which all keys of a sequence are turned in another way, so that it is computed again once there; the greatest number for never.</param>
/// <param name="ArrivedAt">Timestamp of its arrival.</param>
/// <param name="Cancellation">Its caller's wish to give up.</param>
/// <param name="ScoutSalts">The same as <paramref name="Salts"/> of the pass that finds how an adapter's pairs are scaled; null: there is none.</param>
internal sealed record SubmissionTerms(
    RequestOptions Options,
    AdapterStack Adapters,
    int[] ActiveFrom,
    AdapterLabel AdapterLabel,
    PageSalts Salts,
    int LengthFreeContext,
    int TurnsAnewBeyond,
    long ArrivedAt,
    CancellationToken Cancellation,
    PageSalts? ScoutSalts = null);
