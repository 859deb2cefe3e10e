using System.Globalization;
using System.Text.Json;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>Reads rope from config.json, as transformers 4 (<c>rope_theta</c>, <c>rope_scaling</c>) and 5 (<c>rope_parameters</c>) write it; writes it as 4 does, which both read.</summary>
internal static class RopeConfig
{
    private const string Parameters = "rope_parameters";
    private const string ScalingField = "rope_scaling";
    private const string ThetaField = "rope_theta";
    private const string ShareField = "partial_rotary_factor";
    private const string OriginalContextField = "original_max_position_embeddings";

    /// <summary>The rope of all layers.</summary>
    /// <param name="config">The whole configuration.</param>
    /// <param name="form">The family's names and defaults.</param>
    /// <param name="positions">Its <c>max_position_embeddings</c>.</param>
    /// <param name="headSize">Elements in a head.</param>
    public static RopeSpec Read(JsonFields config, ConfigForm form, long positions, int headSize) =>
        Read(config, Fields(config, form), form, positions, headSize);

    /// <summary>A rope that is said in an object of its own.</summary>
    /// <param name="config">The whole configuration, for what the object does not say.</param>
    /// <param name="fields">The object; null where there is none.</param>
    /// <param name="form">The family's names and defaults.</param>
    /// <param name="positions">Its <c>max_position_embeddings</c>.</param>
    /// <param name="headSize">Elements in a head.</param>
    public static RopeSpec Read(JsonFields config, JsonFields? fields, ConfigForm form, long positions, int headSize)
    {
        double theta = Theta(config, fields, form);
        double share = fields?.FindNumber(ShareField, 0) ?? config.FindNumber(form.RotaryShare, 0) ?? form.DefaultRotaryShare;
        int size = (int)(headSize * share);
        if (share > 1 || size < 2 || size % 2 != 0)
        {
            (JsonFields holder, string field) = fields is not null && fields.Has(ShareField) ? (fields, ShareField) : (config, form.RotaryShare);
            throw holder.Wrong(field, $"at most 1, and an even number of a head's {headSize} elements");
        }

        var plain = new RopeSpec { Theta = theta, OriginalContext = SpecLimits.Clamp(positions), Size = size == headSize ? 0 : size };
        string typeField = fields is not null && fields.Has("rope_type") ? "rope_type" : "type";
        return fields?.String(typeField) switch
        {
            null or "default" => plain,
            "linear" => plain with { Scaling = RopeScaling.Linear, Factor = fields.Number("factor", 1) },
            "dynamic" when size > 2 => plain with { Scaling = RopeScaling.Dynamic, Factor = fields.Number("factor", 1) },
            "yarn" when theta > 1 => Yarn(fields, plain, positions),
            "llama3" => Llama3(fields, plain),
            "longrope" or "su" => LongRope(config, fields, plain, positions, size),
            _ => throw fields.Wrong(typeField, "default, linear, dynamic, yarn, llama3 or longrope"),
        };
    }

    /// <summary>Writes the rope of all layers.</summary>
    /// <param name="json">Where to, within the whole configuration.</param>
    /// <param name="spec">The model's shape.</param>
    /// <param name="form">The family's names.</param>
    /// <param name="model">What the model is called where it is refused.</param>
    public static void Write(Utf8JsonWriter json, TransformerSpec spec, ConfigForm form, string model)
    {
        RopeSpec rope = spec.Rope;
        if (!rope.Divisors.IsEmpty && rope.Scaling != RopeScaling.LongRope)
        {
            throw HuggingFaceConfig.Unsayable(model, "rope divisors");
        }

        json.WriteNumber(form.Theta, rope.Theta);
        if (rope.Size > 0 || form.DefaultRotaryShare < 1)
        {
            json.WriteNumber(form.RotaryShare, (double)rope.Turned(spec.HeadSize) / spec.HeadSize);
        }

        if (rope.Scaling == RopeScaling.LongRope)
        {
            json.WriteNumber(OriginalContextField, rope.OriginalContext);
        }

        if (rope.Scaling == RopeScaling.None)
        {
            return;
        }

        json.WriteStartObject(ScalingField);
        // transformers 4 wants LongRope as Phi-3's files have it: three fields, of which one is called type.
        json.WriteString(rope.Scaling == RopeScaling.LongRope ? "type" : "rope_type", rope.Scaling.ToString().ToLowerInvariant());
        if (rope.Scaling != RopeScaling.LongRope)
        {
            json.WriteNumber("factor", rope.Factor);
        }

        switch (rope.Scaling)
        {
            case RopeScaling.LongRope:
                WriteDivisors("short_factor", rope.Divisors);
                WriteDivisors("long_factor", rope.LongDivisors);
                if (rope.AttentionFactor != (float)LongSharpening((double)spec.ContextLength / rope.OriginalContext, rope.OriginalContext))
                {
                    json.WriteNumber("attention_factor", rope.AttentionFactor);
                }

                break;
            case RopeScaling.Yarn:
                json.WriteNumber(OriginalContextField, rope.OriginalContext);
                json.WriteNumber("beta_fast", rope.BetaFast);
                json.WriteNumber("beta_slow", rope.BetaSlow);
                json.WriteNumber("attention_factor", rope.AttentionFactor);
                json.WriteBoolean("truncate", rope.Truncate);
                break;
            case RopeScaling.Llama3:
                json.WriteNumber(OriginalContextField, rope.OriginalContext);
                json.WriteNumber("low_freq_factor", rope.LowFrequencyFactor);
                json.WriteNumber("high_freq_factor", rope.HighFrequencyFactor);
                break;
        }

        json.WriteEndObject();

        void WriteDivisors(string field, IEnumerable<float> divisors)
        {
            json.WriteStartArray(field);
            foreach (float divisor in divisors)
            {
                json.WriteNumberValue(divisor);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>What says how positions turn. As in transformers, <c>rope_scaling</c> counts where both are there: it is what somebody added to a saved configuration.</summary>
    private static JsonFields? Fields(JsonFields config, ConfigForm form)
    {
        (JsonFields? parameters, JsonFields? scaling) = (config.Object(Parameters), config.Object(ScalingField));
        if (scaling is null || parameters is null)
        {
            return parameters ?? scaling;
        }

        if (parameters.Says(scaling))
        {
            return parameters;
        }

        if (!scaling.Has(ThetaField) && !config.Has(form.Theta) && parameters.FindNumber(ThetaField, 1) is { } theta && theta != form.DefaultTheta)
        {
            throw config.Wrong(ScalingField, $"{ThetaField} in it too ({Parameters}, whose place it takes, has {theta.ToString(CultureInfo.InvariantCulture)}); say it there, or leave {ScalingField} out");
        }

        config.Warn(ScalingField, $"which is not what {Parameters} says. It counts; leave out the one that is not meant.");
        return scaling;
    }

    private static double Theta(JsonFields config, JsonFields? fields, ConfigForm form)
    {
        (double? own, double? common) = (fields?.FindNumber(ThetaField, 1), config.FindNumber(form.Theta, 1));
        if (own is { } theta && common is { } other && theta != other)
        {
            config.Warn(form.Theta, $"but {theta.ToString(CultureInfo.InvariantCulture)} beside the scaling. That counts; leave out the one that is not meant.");
        }

        return own ?? common ?? form.DefaultTheta;
    }

    private static RopeSpec LongRope(JsonFields config, JsonFields fields, RopeSpec plain, long positions, int size)
    {
        // Models write the original context beside the object, transformers 5 also into it.
        long original = fields.FindInteger(OriginalContextField, 1, int.MaxValue) ?? config.FindInteger(OriginalContextField, 1, int.MaxValue) ?? plain.OriginalContext;
        double factor = Truthy(fields.FindNumber("factor", 0)) ?? (double)positions / original;
        double attention = Truthy(fields.FindNumber("attention_factor", 0)) ?? LongSharpening(factor, original);
        return plain with
        {
            Scaling = RopeScaling.LongRope,
            Factor = factor,
            OriginalContext = (int)original,
            AttentionFactor = (float)attention,
            Divisors = [.. fields.PositiveNumbers("short_factor", size / 2)],
            LongDivisors = [.. fields.PositiveNumbers("long_factor", size / 2)],
        };
    }

    /// <summary>What LongRope multiplies sine and cosine by: √(1 + ln factor / ln original context).</summary>
    internal static double LongSharpening(double factor, double original) => factor <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(factor) / Math.Log(original)));

    private static RopeSpec Yarn(JsonFields fields, RopeSpec plain, long positions)
    {
        int original = OriginalContext(fields, plain);
        double factor = fields.FindNumber("factor", 1) ?? Math.Max(1, (double)positions / original);
        double betaFast = Truthy(fields.FindNumber("beta_fast", 0)) ?? plain.BetaFast;
        double betaSlow = Truthy(fields.FindNumber("beta_slow", 0)) ?? plain.BetaSlow;
        if (betaFast < betaSlow)
        {
            throw fields.Wrong("beta_fast", $"at least beta_slow, {betaSlow}");
        }

        double? scale = Truthy(fields.FindNumber("mscale", 0));
        double? scaleOfAll = Truthy(fields.FindNumber("mscale_all_dim", 0));
        double attention = Truthy(fields.FindNumber("attention_factor", 0))
            ?? (scale is { } one && scaleOfAll is { } all ? Sharpening(factor, one) / Sharpening(factor, all) : Sharpening(factor, 1));
        return plain with
        {
            Scaling = RopeScaling.Yarn,
            Factor = factor,
            OriginalContext = original,
            BetaFast = betaFast,
            BetaSlow = betaSlow,
            Truncate = fields.Bool("truncate", otherwise: true),
            AttentionFactor = (float)attention,
        };
    }

    private static RopeSpec Llama3(JsonFields fields, RopeSpec plain)
    {
        double low = fields.Number("low_freq_factor", double.Epsilon);
        double high = fields.Number("high_freq_factor", double.Epsilon);
        return high > low
            ? plain with
            {
                Scaling = RopeScaling.Llama3,
                Factor = fields.Number("factor", 1),
                OriginalContext = OriginalContext(fields, plain),
                LowFrequencyFactor = low,
                HighFrequencyFactor = high,
            }
            : throw fields.Wrong("high_freq_factor", $"more than low_freq_factor, {low}");
    }

    private static int OriginalContext(JsonFields fields, RopeSpec plain) =>
        (int)(fields.FindInteger(OriginalContextField, 1, int.MaxValue) ?? plain.OriginalContext);

    /// <summary>What YaRN multiplies sine and cosine by: 0.1 · scale · ln(factor) + 1.</summary>
    internal static double Sharpening(double factor, double scale) => factor <= 1 ? 1 : (0.1 * scale * Math.Log(factor)) + 1;

    /// <summary>transformers takes zero for "not given" in these fields.</summary>
    private static double? Truthy(double? value) => value is 0 ? null : value;
}
