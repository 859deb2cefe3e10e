using System.Globalization;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Loading.Packed;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;

namespace LoraServe.Models.Loading;

/// <summary>Opens a model in a Hugging Face directory.</summary>
internal static class HuggingFaceSource
{
    public static ModelSource Open(string directory)
    {
        JsonFields config = JsonFields.TryLoad(Path.Combine(directory, "config.json"))
            ?? throw new ModelFormatException(directory, $"has no config.json; expected a Hugging Face directory with config.json, tokenizer.json and safetensors, or a GGUF file. {NoModel.Describe(directory)}");
        var architecture = Architecture.Of(config);
        TransformerSpec said = architecture.FromHuggingFace(config);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
        ModelText text = ModelText.ReadDirectory(directory) with { Name = name };
        GenerationDefaults generation = ReadGeneration(config, JsonFields.TryLoad(Path.Combine(directory, "generation_config.json")), text, said.VocabularySize, config.Warnings);
        PackedForms.RefuseMlx(config);
        var weights = SafetensorsCheckpoint.Open(directory);
        try
        {
            var stored = new StoredParameters(weights, architecture.HuggingFaceNames, config);
            return new ModelSource(directory, name, architecture, stored.Believe(said), weights)
            {
                Names = architecture.HuggingFaceNames,
                FindTensor = stored.Find,
                Unasked = () => stored.Unasked,
                Text = text,
                Generation = generation,
                Warnings = config.Warnings,
            };
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static GenerationDefaults ReadGeneration(JsonFields config, JsonFields? generation, ModelText text, int vocabulary, List<string> warnings)
    {
        var end = AnswerEnd.Of(text, Tokens("eos_token_id"), vocabulary);
        return new GenerationDefaults { EndToken = end.Token, EndTokens = end.All, BeginToken = Tokens("bos_token_id") is [var begin, ..] ? begin : null };

        // generation_config.json decides, config.json where that names none that can occur.
        int[] Tokens(string field)
        {
            foreach (JsonFields file in new[] { generation, config }.OfType<JsonFields>())
            {
                if (file.OneOrMoreIntegers(field, int.MinValue, int.MaxValue).ToLookup(id => id >= 0 && id < vocabulary) is { Count: > 0 } ids)
                {
                    if (ids[false].Any())
                    {
                        warnings.Add($"{file.File}: '{field}' names {string.Join(", ", ids[false].Select(id => id.ToString(CultureInfo.InvariantCulture)))}, which cannot occur: the model has tokens 0 to {vocabulary - 1}. It is ignored.");
                    }

                    if (ids[true].Any())
                    {
                        return [.. ids[true]];
                    }
                }
            }

            return [];
        }
    }
}
