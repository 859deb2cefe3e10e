using System.Text;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

/// <summary>Reads what a GGUF file says about its tokenizer: just enough for trusted test files.</summary>
internal static class GgufMetadata
{
    public static GgufTokenizerData Read(string path)
    {
        using BinaryReader reader = new(File.OpenRead(path));
        Assert.Equal(0x46554747u, reader.ReadUInt32());
        reader.ReadUInt32();
        reader.ReadInt64();
        long count = reader.ReadInt64();
        Dictionary<string, object> values = [];
        for (long i = 0; i < count; i++)
        {
            string key = ReadString(reader);
            values[key] = ReadValue(reader, reader.ReadInt32());
        }

        T? Get<T>(string key)
            where T : class => values.GetValueOrDefault($"tokenizer.ggml.{key}") as T;
        int? Id(string key) => values.TryGetValue($"tokenizer.ggml.{key}", out object? id) ? Convert.ToInt32(id, null) : null;
        bool? Flag(string key) => values.TryGetValue($"tokenizer.ggml.{key}", out object? flag) ? (bool)flag : null;
        return new GgufTokenizerData
        {
            Source = Path.GetFileName(path),
            Model = Get<string>("model")!,
            PreTokenizer = Get<string>("pre"),
            Tokens = [.. Get<object[]>("tokens")!.Cast<string>()],
            Merges = Get<object[]>("merges")?.Cast<string>().ToArray(),
            Scores = Get<object[]>("scores")?.Cast<float>().ToArray(),
            TokenTypes = Get<object[]>("token_type")?.Cast<int>().ToArray(),
            BosTokenId = Id("bos_token_id"),
            EosTokenId = Id("eos_token_id"),
            UnknownTokenId = Id("unknown_token_id"),
            PaddingTokenId = Id("padding_token_id"),
            AddBosToken = Flag("add_bos_token"),
            AddEosToken = Flag("add_eos_token"),
            AddSpacePrefix = Flag("add_space_prefix"),
        };
    }

    private static object ReadValue(BinaryReader reader, int type)
    {
        switch (type)
        {
            case 0:
                return reader.ReadByte();
            case 1:
                return reader.ReadSByte();
            case 2:
                return reader.ReadUInt16();
            case 3:
                return reader.ReadInt16();
            case 4:
                return reader.ReadUInt32();
            case 5:
                return reader.ReadInt32();
            case 6:
                return reader.ReadSingle();
            case 7:
                return reader.ReadBoolean();
            case 8:
                return ReadString(reader);
            case 9:
                int item = reader.ReadInt32();
                object[] items = new object[reader.ReadInt64()];
                for (int i = 0; i < items.Length; i++)
                {
                    items[i] = ReadValue(reader, item);
                }

                return items;
            case 10:
                return reader.ReadUInt64();
            case 11:
                return reader.ReadInt64();
            default:
                return reader.ReadDouble();
        }
    }

    private static string ReadString(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()));
}
