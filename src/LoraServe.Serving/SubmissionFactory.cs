using LoraServe.Models.Spec;
using LoraServe.Serving.Cache;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving;

/// <summary>Makes submissions of requests whose adapters are reserved, whole: the loop changes how far they have come, and nothing else of them. Any thread may call.</summary>
internal sealed class SubmissionFactory(EngineOptions options, TransformerSpec spec, RequestReader reader, EngineInstruments instruments, TimeProvider time)
{
    /// <summary>A prompt to continue.</summary>
    /// <exception cref="EngineException">It does not fit behind the virtual rows of its adapters.</exception>
    public GenerationSubmission Generation(GenerationRequest request, int[] prompt, string? echo, AdapterStack adapters, CancellationToken cancellation)
    {
        reader.CheckPrompt(prompt, adapters, request.Sampling);
        SamplingPlan sampling = reader.Plan(request, prompt.Length, adapters);
        return new GenerationSubmission(Terms(request, prompt, adapters, cancellation), prompt, sampling, reader.Codec, request.VisibleTokens, echo);
    }

    /// <summary>Texts to score.</summary>
    /// <param name="request">The request.</param>
    /// <param name="prompt">The prompt that all begin with.</param>
    /// <param name="texts">Prompt and text, or the prompt itself.</param>
    /// <param name="adapters">Its adapters.</param>
    /// <param name="cancellation">Its caller's wish to give up.</param>
    /// <exception cref="EngineException">One does not fit behind the virtual rows of its adapters.</exception>
    public ScoreSubmission Score(ScoreRequest request, int[] prompt, IReadOnlyList<int[]> texts, AdapterStack adapters, CancellationToken cancellation)
    {
        foreach (int[] text in texts)
        {
            reader.CheckScored(text, adapters);
        }

        int unscored = texts.Count == 1 && texts[0] == prompt ? 1 : Math.Max(prompt.Length, 1);
        return new ScoreSubmission(Terms(request, prompt, adapters, cancellation), texts, unscored);
    }

    /// <summary>Texts to embed.</summary>
    /// <exception cref="EngineException">One does not fit behind the virtual rows of its adapters, or an adapter would act from another place in each.</exception>
    public EmbedSubmission Embed(EmbedRequest request, IReadOnlyList<int[]> texts, AdapterStack adapters, CancellationToken cancellation)
    {
        if (texts.Count > 1 && adapters.IsInvoked)
        {
            throw new EngineException(EngineError.InvalidRequest, "An adapter that is invoked by tokens acts from another place in each text. Embed one text in a request.");
        }

        foreach (int[] text in texts)
        {
            reader.CheckEmbedded(text, adapters);
        }

        return new EmbedSubmission(Terms(request, texts[0], adapters, cancellation), texts, spec.Width, request.Pooling, request.Normalize);
    }

    private SubmissionTerms Terms(RequestOptions request, int[] prompt, AdapterStack adapters, CancellationToken cancellation)
    {
        int[] activeFrom = adapters.ActiveFrom(prompt);
        (string, float, int)[] acting = adapters.Acting(activeFrom);
        string owner = options.SharePrefixCache ? "" : request.Tenant;
        return new SubmissionTerms(
            request,
            adapters,
            activeFrom,
            instruments.LabelOf(adapters),
            PageSalts.Of(owner, acting),
            spec.Rope.DependsOnLength ? spec.Rope.OriginalContext : int.MaxValue,
            spec.Rope.Scaling == RopeScaling.LongRope ? spec.Rope.OriginalContext : int.MaxValue,
            time.GetTimestamp(),
            cancellation,
            adapters.Scouted.Select(scouted => PageSalts.Of(owner, Scouting(scouted))).Cast<PageSalts?>().FirstOrDefault());
    }

    // The base's pages are also those of a first pass without the adapter.
    private static (string, float, int)[] Scouting(AdapterManifest scouted) => scouted.ScalingPass == 0 ? [] : [($"first pass of {scouted.Digest}", 1, 0)];
}
