using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Peft;

/// <summary>mlx-lm's adapters (<c>mlx_lm/tuner</c>) in PEFT's form: A and B transposed, scale·rank for alpha.</summary>
internal static class MlxForm
{
    private const string Parameters = "lora_parameters";
    private const string KindField = "fine_tune_type";
    private const string A = ".lora_a";
    private const string B = ".lora_b";
    private const string Magnitude = ".m";
    private static readonly string[] s_tables = ["embed_tokens", "wte", "embed_in"];

    /// <summary>Whether a configuration is mlx-lm's.</summary>
    public static bool Is(JsonElement config) =>
        config.ValueKind == JsonValueKind.Object && !config.TryGetProperty("peft_type", out _) && (config.TryGetProperty(Parameters, out _) || config.TryGetProperty(KindField, out _));

    /// <summary>Reads it.</summary>
    /// <exception cref="AdapterFormatException">A field is missing or wrong, or a tensor has another shape than the field says.</exception>
    public static (JsonElement Config, IReadOnlyDictionary<string, Tensor> Tensors) Read(AdapterFiles files, JsonElement config, IReadOnlyDictionary<string, Tensor> stored, List<string> notes)
    {
        var fields = new ConfigFields(files.ConfigPath, config, notes);
        string kind = fields.Text(KindField) ?? "lora";
        if (kind is not ("lora" or "dora" or "full"))
        {
            throw new AdapterFormatException($"{files.ConfigPath}: field '{KindField}' is '{kind}'; expected lora, dora or full, as mlx-lm writes it. Train the adapter again.");
        }

        (int rank, double scale) = kind == "full" ? (1, 1) : ReadParameters(fields, files.ConfigPath, notes);
        var peft = new JsonObject
        {
            ["peft_type"] = PeftConfig.Lora,
            ["base_model_name_or_path"] = fields.Text("model"),
            ["r"] = rank,
            ["lora_alpha"] = scale * rank,
            ["target_modules"] = new JsonArray([.. stored.Keys.Where(name => name.EndsWith(A, StringComparison.Ordinal)).Select(name => (JsonNode)LastParts(name[..^A.Length])).DistinctBy(name => (string?)name)]),
            ["use_dora"] = stored.Keys.Any(name => name.EndsWith(Magnitude, StringComparison.Ordinal)),
        };
        notes.Add($"{files.ConfigPath}: is mlx-lm's, which is read as PEFT's {(kind == "full" ? "would be with whole weights" : kind == "dora" ? "DoRA" : "LoRA")}.");
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Tensor tensor in stored.Values.Select(tensor => InPeftForm(tensor, rank, files.WeightsPath)))
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
            {
                throw new AdapterFormatException($"{files.WeightsPath}: has tensor '{tensor.Name}' twice, as mlx-lm calls it and as PEFT does; expected one. Save the adapter again.");
            }
        }

        return (JsonSerializer.SerializeToElement(peft), tensors);
    }

    // From the layer's number on, so that it does not matter what the model is a part of; layers without a pair are not targeted.
    private static string LastParts(string path)
    {
        string[] parts = path.Split('.');
        int number = Array.FindIndex(parts, part => part.Length > 0 && part.All(char.IsAsciiDigit));
        return number < 0 ? parts[^1] : string.Join('.', parts[number..]);
    }

    private static (int Rank, double Scale) ReadParameters(ConfigFields fields, string path, List<string> notes)
    {
        if (fields.Entries(Parameters) is not { Count: > 0 })
        {
            throw new AdapterFormatException($"{path}: field '{Parameters}' is missing; expected an object with rank and scale, as mlx-lm writes it. Train the adapter again.");
        }

        var parameters = new ConfigFields(path, fields.Find(Parameters)!.Value, notes);
        int rank = parameters.Integer("rank", 1) ?? throw new AdapterFormatException($"{path}: field '{Parameters}.rank' is missing; expected an integer. Train the adapter again.");
        double scale = parameters.Number("scale") ?? throw new AdapterFormatException($"{path}: field '{Parameters}.scale' is missing; expected a number. Train the adapter again.");
        if (parameters.Find("alpha") is { } alpha)
        {
            notes.Add($"{path}: '{Parameters}.alpha' is {alpha.GetRawText()}, which mlx-lm no longer uses; the scale alone counts, {scale.ToString(System.Globalization.CultureInfo.InvariantCulture)}.");
        }

        return (rank, scale);
    }

    private static Tensor InPeftForm(Tensor tensor, int rank, string file)
    {
        string name = tensor.Name;
        if (name.EndsWith(A, StringComparison.Ordinal))
        {
            return Transposed(name[..^A.Length], "A", rankAt: 1);
        }

        if (name.EndsWith(B, StringComparison.Ordinal))
        {
            return Transposed(name[..^B.Length], "B", rankAt: 0);
        }

        return Named(file, tensor, AdapterFiles.PeftPrefix + (name.EndsWith(Magnitude, StringComparison.Ordinal) ? $"{name[..^Magnitude.Length]}.lora_magnitude_vector" : name));

        Tensor Transposed(string path, string factor, int rankAt)
        {
            if (tensor.Shape is not [> 0 and <= int.MaxValue, > 0 and <= int.MaxValue] || tensor.Shape[rankAt] != rank || tensor.ElementCount > Array.MaxLength)
            {
                throw new AdapterFormatException($"{file}: tensor '{name}' has shape [{string.Join(", ", tensor.Shape)}]; expected {(rankAt == 1 ? $"[inputs, {rank}]" : $"[{rank}, outputs]")}, as mlx-lm stores the rank of its configuration. Save the adapter again.");
            }

            var matrix = new FloatMatrix((int)tensor.Shape[0], (int)tensor.Shape[1], tensor.ToFloats());
            bool isTable = s_tables.Contains(path[(path.LastIndexOf('.') + 1)..]);
            string given = $"{AdapterFiles.PeftPrefix}{path}.{(isTable ? $"lora_embedding_{factor}" : $"lora_{factor}.weight")}";
            return Tensor.OverFloats(given, matrix.Transposed().Values, matrix.Columns, matrix.Rows);
        }
    }

    private static Tensor Named(string file, Tensor tensor, string name) => tensor.ElementCount <= Array.MaxLength
        ? Tensor.OverFloats(name, tensor.ToFloats(), [.. tensor.Shape])
        : throw new AdapterFormatException($"{file}: tensor '{tensor.Name}' has {tensor.ElementCount} elements; expected at most {Array.MaxLength}. Merge the weights into the base instead.");
}
