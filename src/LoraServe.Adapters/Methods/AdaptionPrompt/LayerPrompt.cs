using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;

namespace LoraServe.Adapters.Methods.AdaptionPrompt;

/// <summary>What a layer's own, frozen projections make of an adapter's prompt there, and the way back.</summary>
/// <remarks>
/// K = k_proj(prompt), V = gate · v_proj(prompt), with the base's biases. In PEFT's form for Llama what is read of them goes through o_proj by
/// itself, whose bias is added with it; in its form for GPT-2 it does not go through c_proj.
/// </remarks>
internal sealed class LayerPrompt
{
    private readonly IBaseModel _model;
    private readonly PromptPlace _place;

    private LayerPrompt(IBaseModel model, PromptPlace place, BaseModule output)
    {
        (_model, _place, Output) = (model, place, output);
        Path = output.Path[..output.Path.LastIndexOf('.')];
    }

    /// <summary>The layer's output projection, whose bias <see cref="OutputBias"/> adds.</summary>
    public BaseModule Output { get; }

    /// <summary>The layer's attention.</summary>
    public string Path { get; }

    /// <summary>The tensor that holds the prompt, [1, rows, width].</summary>
    public string PromptName => $"{AdapterFiles.PeftPrefix}{Path}.adaption_prompt";

    /// <summary>The tensor that holds the gate, [1].</summary>
    public string GateName => $"{AdapterFiles.PeftPrefix}{Path}.adaption_gate";

    /// <summary>The last layers of a base.</summary>
    /// <param name="model">The base.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="file">Which file asks for them, for messages.</param>
    /// <exception cref="AdapterFormatException">The method is not defined for the base's attention.</exception>
    public static IReadOnlyList<LayerPrompt> Last(IBaseModel model, int count, string file)
    {
        PromptPlace place = PlaceIn(model, file);
        return [.. model.Modules.Where(module => module.Site.Role == SiteRole.Output).OrderBy(module => module.Site.Layer).TakeLast(count).Select(output => new LayerPrompt(model, place, output))];
    }

    /// <summary>What an adapter does in the layer.</summary>
    /// <param name="prompt">[rows, width].</param>
    /// <param name="gate">Factor of all that is read.</param>
    public PromptAttention Edit(FloatMatrix prompt, float gate)
    {
        (FloatMatrix keys, FloatMatrix values) = Projected(prompt);
        TensorPrimitives.Multiply(values.Values, gate, values.Values);
        return new PromptAttention(Output.Site.Layer, _place, keys, values);
    }

    /// <summary>The bias that comes with it; null where there is none.</summary>
    public BiasDelta? OutputBias() => _place == PromptPlace.BeforeOutput && Output.HasBias ? new BiasDelta(Output.Site, _model.Bias(Output)) : null;

    /// <summary>Adds what derivatives by an edit come to.</summary>
    /// <param name="prompt">What it was made of.</param>
    /// <param name="gate">The same.</param>
    /// <param name="dKeys">Derivative by its keys.</param>
    /// <param name="dValues">Derivative by its values.</param>
    /// <param name="dPrompt">Derivative by the prompt, [rows, width], added to.</param>
    /// <returns>The derivative by the gate.</returns>
    public float Pull(FloatMatrix prompt, float gate, FloatMatrix dKeys, FloatMatrix dValues, float[] dPrompt)
    {
        double dGate = 0;
        FloatMatrix values = Projected(prompt).Values;
        for (int row = 0; row < values.Rows; row++)
        {
            dGate += TensorPrimitives.Dot(values.Row(row), dValues.Row(row));
        }

        (Site keySite, int firstKey, Site valueSite, int firstValue) = Sites();
        PullThrough(keySite, firstKey, dKeys, 1, dPrompt);
        PullThrough(valueSite, firstValue, dValues, gate, dPrompt);
        return (float)dGate;
    }

    private static PromptPlace PlaceIn(IBaseModel model, string file)
    {
        if (model.Architecture == "gpt2")
        {
            return PromptPlace.AfterOutput;
        }

        string? reason = model.Modules.Any(module => module.Site.Role == SiteRole.QueryKeyValue) ? "makes queries, keys and values in one map"
            : model.Norms.Any(norm => norm.Site.Role is NormRole.Query or NormRole.Key) ? "norms queries and keys"
            : null;
        return reason is null
            ? PromptPlace.BeforeOutput
            : throw new AdapterFormatException($"{file}: an adaption prompt is defined for attention as Llama, Mistral and GPT-2 have it; the base, {model.Architecture}, {reason}. Use another method, such as prefix tuning.");
    }

    /// <summary>The maps that give keys and values, each with the row at which these begin.</summary>
    private (Site Keys, int FirstKey, Site Values, int FirstValue) Sites()
    {
        var fused = new Site(Output.Site.Layer, SiteRole.QueryKeyValue);
        return _place == PromptPlace.AfterOutput
            ? (fused, Output.Inputs, fused, Output.Inputs + _model.KeyWidth)
            : (new Site(Output.Site.Layer, SiteRole.Key), 0, new Site(Output.Site.Layer, SiteRole.Value), 0);
    }

    private (FloatMatrix Keys, FloatMatrix Values) Projected(FloatMatrix prompt)
    {
        (Site keySite, int firstKey, Site valueSite, int firstValue) = Sites();
        FloatMatrix ofKeys = Through(keySite, prompt);
        FloatMatrix ofValues = valueSite == keySite ? ofKeys : Through(valueSite, prompt);
        return (ofKeys.ColumnsFrom(firstKey, _model.KeyWidth), ofValues.ColumnsFrom(firstValue, _model.KeyWidth));
    }

    private FloatMatrix Through(Site site, FloatMatrix prompt)
    {
        BaseModule module = _model.Modules.First(module => module.Site == site);
        FloatMatrix result = _model.MultiplyRows(module, prompt);
        float[] bias = _model.Bias(module);
        for (int row = 0; row < result.Rows; row++)
        {
            TensorPrimitives.Add(result.Row(row), bias, result.Row(row));
        }

        return result;
    }

    // dPrompt += factor · d·W, where W is the map from its first row on: a row at a time, since a whole map of a large model is more than this needs.
    private void PullThrough(Site site, int first, FloatMatrix d, float factor, float[] dPrompt)
    {
        float[] weights = new float[_model.Width];
        for (int column = 0; column < d.Columns; column++)
        {
            _model.CopyWeightRow(site, first + column, weights);
            for (int row = 0; row < d.Rows; row++)
            {
                Span<float> sum = dPrompt.AsSpan(row * _model.Width, _model.Width);
                TensorPrimitives.MultiplyAdd(weights, factor * d.Row(row)[column], sum, sum);
            }
        }
    }
}
