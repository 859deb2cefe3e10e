using System.CommandLine;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters</c>: the verbs about adapter files.</summary>
internal static class AdaptersVerb
{
    public static Command Create() => new("adapters", "Look into adapters, check, merge, convert and extract them.")
    {
        InspectVerb.Create(),
        VerifyVerb.Create(),
        MergeVerb.Create(),
        ConvertVerb.Create(),
        ExtractVerb.Create(),
        ListVerb.Create(),
    };
}
