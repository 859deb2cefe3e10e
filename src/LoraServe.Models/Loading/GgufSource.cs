using LoraServe.Compute.Files;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;

namespace LoraServe.Models.Loading;

/// <summary>Opens a model in a GGUF file.</summary>
internal static class GgufSource
{
    public static ModelSource Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
        try
        {
            if (file.Metadata.FindString("general.type") == "adapter")
            {
                throw new ModelFormatException(path, "is an adapter, not a model: give the base as the model, and this as an adapter");
            }

            var architecture = Architecture.Of(file);
            TransformerSpec spec = architecture.FromGguf!(new GgufConfig(file, architecture.GgufName, architecture.GgufNames));
            List<string> warnings = [];
            ModelText text = ModelText.ReadGguf(file, warnings);
            string name = file.Metadata.FindString("general.name") ?? System.IO.Path.GetFileNameWithoutExtension(path);
            return new ModelSource(path, name, architecture, spec, file)
            {
                Names = architecture.GgufNames,
                FindTensor = file.FindTensor,
                IsGguf = true,
                Text = text with { Name = name },
                Generation = ReadGeneration(file, text, spec.VocabularySize, warnings),
                Warnings = [.. warnings.Distinct()],
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static GenerationDefaults ReadGeneration(GgufFile file, ModelText text, int vocabulary, List<string> warnings)
    {
        int[] configured = [.. GgufVocabulary.EndTokenKeys.Select(Token).OfType<int>().Distinct()];
        var end = AnswerEnd.Of(text, configured, vocabulary);
        return new GenerationDefaults { EndToken = end.Token, EndTokens = end.All, BeginToken = Token(GgufVocabulary.BeginTokenKey) };

        int? Token(string key) => file.Metadata.FindInteger(key) is { } id ? GgufVocabulary.IdBelow(file, key, id, vocabulary, warnings) : null;
    }
}
