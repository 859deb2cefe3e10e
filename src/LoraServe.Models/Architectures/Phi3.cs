using LoraServe.Adapters.Edits;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Architectures;

/// <summary>Phi-3 and Phi-4-mini: query, key and value in one map, gate and up in another; LongRope; a part of each head may be left unturned.</summary>
internal static class Phi3
{
    private static readonly ConfigForm s_form = new() { Architecture = "phi3", DefaultEpsilon = 1e-5 };
    private static readonly SiteRole[] s_linears = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.GateUp, SiteRole.Down];

    public static Architecture Architecture { get; } = new()
    {
        Name = s_form.Architecture,
        ClassName = "Phi3ForCausalLM",
        FromHuggingFace = config =>
        {
            TransformerSpec spec = HuggingFaceConfig.Read(config, s_form);
            return spec with { Linears = [.. s_linears], Windows = WindowConfig.OfAll(config, spec.LayerCount) };
        },
        ToHuggingFace = (json, spec, model) =>
        {
            HuggingFaceConfig.Write(json, spec, s_form, model);
            WindowConfig.Write(json, spec);
        },
        FromGguf = config =>
        {
            TransformerSpec spec = config.Read(s_form);
            return spec with { Linears = [.. s_linears], Windows = [.. Enumerable.Repeat(config.FindWindow(), spec.LayerCount)] };
        },
    };
}
