using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>Byte-pair encoding: a word starts as characters (or bytes), and pairs merge by rank.</summary>
internal sealed class BpeModel : TokenModel
{
    /// <summary>SentencePiece's sign for the space before a word.</summary>
    private const char WordMark = '▁';

    private readonly BpeConfig _config;
    private readonly MergeTable _merges;
    private readonly int[] _byteIds = new int[256];
    private readonly int[] _fallbackIds = new int[256];
    private readonly int[] _asciiIds = new int[128];
    private readonly WordCache _cache = new();
    private readonly bool _cutsAtWordMark;

    public BpeModel(BpeConfig config)
    {
        _config = config;
        _merges = config.Merges;
        for (int b = 0; b < 256; b++)
        {
            _byteIds[b] = config.Vocabulary.IdOrNone([ByteCharacters.Of((byte)b)]);
            _fallbackIds[b] = config.HasByteFallback ? config.Vocabulary.IdOrNone($"<0x{b:X2}>") : Vocabulary.None;
        }

        for (int c = 0; c < 128; c++)
        {
            _asciiIds[c] = config.Vocabulary.IdOrNone([(char)c]);
        }

        _cutsAtWordMark = !config.IsByteLevel && !config.IgnoreMerges && !HasAffixes && config.Vocabulary.IdOrNone([WordMark]) != Vocabulary.None
            && !config.Merges.AnyResult(id => CrossesWordMark(config.Vocabulary.Text(id)!));
    }

    private bool HasAffixes => _config.ContinuingPrefix.Length + _config.EndSuffix.Length > 0;

    public override IPieceSink CreateStage(TokenOutput output) => new Stage(this, output);

    /// <summary>Whether a token goes on over the start of a word, so that the word cannot be tokenized on its own.</summary>
    private static bool CrossesWordMark(string token)
    {
        for (int i = 1; i < token.Length; i++)
        {
            if (token[i] == WordMark && token[i - 1] != WordMark)
            {
                return true;
            }
        }

        return false;
    }

    private void Tokenize(ReadOnlySpan<char> word, SymbolRow row, List<byte> bytes)
    {
        row.Clear();
        if (_config.IgnoreMerges)
        {
            string spelling = Spelling(word);
            if (_config.Vocabulary.IdOrNone(spelling) is var whole && whole != Vocabulary.None)
            {
                row.Add(whole, Encoding.UTF8.GetByteCount(spelling));
                return;
            }
        }

        Symbols symbols = new(this, row);
        if (_config.IsByteLevel)
        {
            AddBytes(word, ref symbols, row, bytes);
        }
        else
        {
            row.Reserve(word.Length);
            AddCharacters(word, ref symbols);
        }

        symbols.Finish();
        if (row.Count > 1)
        {
            row.MergeAll(_merges);
        }
    }

    private string Spelling(ReadOnlySpan<char> word)
    {
        if (!_config.IsByteLevel)
        {
            return word.ToString();
        }

        byte[] bytes = Encoding.UTF8.GetBytes(word.ToArray());
        return string.Create(bytes.Length, bytes, (spelling, source) =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                spelling[i] = ByteCharacters.Of(source[i]);
            }
        });
    }

    private void AddBytes(ReadOnlySpan<char> word, ref Symbols symbols, SymbolRow row, List<byte> bytes)
    {
        if (HasAffixes)
        {
            AddCharacters(Spelling(word), ref symbols);
            return;
        }

        int count = Encoding.UTF8.GetMaxByteCount(word.Length);
        System.Runtime.InteropServices.CollectionsMarshal.SetCount(bytes, count);
        Span<byte> buffer = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        count = Encoding.UTF8.GetBytes(word, buffer);
        row.Reserve(count);
        foreach (byte b in buffer[..count])
        {
            if (_byteIds[b] != Vocabulary.None)
            {
                symbols.Add(_byteIds[b], ByteCharacters.Utf8Length(b));
            }
            else
            {
                symbols.AddMissing(ByteCharacters.Of(b).ToString(), ByteCharacters.Utf8Length(b));
            }
        }
    }

    private void AddCharacters(ReadOnlySpan<char> word, ref Symbols symbols)
    {
        for (int i = 0; i < word.Length;)
        {
            int codePoint = CodePoints.At(word, i, out int units);
            int length = new Rune(codePoint).Utf8SequenceLength;
            if (HasAffixes)
            {
                string text = word.Slice(i, units).ToString();
                text = i > 0 ? _config.ContinuingPrefix + text : text;
                text = i + units == word.Length ? text + _config.EndSuffix : text;
                symbols.AddText(text, Encoding.UTF8.GetByteCount(text));
            }
            else if ((codePoint < 128 ? _asciiIds[codePoint] : _config.Vocabulary.IdOrNone(word.Slice(i, units))) is var id && id != Vocabulary.None)
            {
                symbols.Add(id, length);
            }
            else
            {
                symbols.AddMissing(word.Slice(i, units).ToString(), length);
            }

            i += units;
        }
    }

    /// <summary>Puts the first symbols of a word into a row, with what stands in for those that the vocabulary lacks.</summary>
    private ref struct Symbols(BpeModel model, SymbolRow row)
    {
        private int _unknownLength;

        public void Add(int id, int length)
        {
            Finish();
            row.Add(id, length);
        }

        public void AddText(string text, int length)
        {
            int id = model._config.Vocabulary.IdOrNone(text);
            if (id != Vocabulary.None)
            {
                Add(id, length);
            }
            else
            {
                AddMissing(text, length);
            }
        }

        /// <summary>Adds the bytes of a text, else the unknown token, else nothing.</summary>
        public void AddMissing(string text, int length)
        {
            if (model._config.HasByteFallback && TryAddBytes(text))
            {
                return;
            }

            if (model._config.UnknownId == Vocabulary.None)
            {
                return;
            }

            if (!model._config.FusesUnknown)
            {
                Finish();
            }

            _unknownLength += length;
        }

        /// <summary>Puts out an unknown token that is still growing.</summary>
        public void Finish()
        {
            if (_unknownLength > 0)
            {
                row.Add(model._config.UnknownId, _unknownLength);
                _unknownLength = 0;
            }
        }

        private readonly bool TryAddBytes(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            foreach (byte b in bytes)
            {
                if (model._fallbackIds[b] == Vocabulary.None)
                {
                    return false;
                }
            }

            foreach (byte b in bytes)
            {
                row.Add(model._fallbackIds[b], 1);
            }

            return true;
        }
    }

    private sealed class Stage(BpeModel model, TokenOutput output) : WordStage(output, model._cache)
    {
        private readonly SymbolRow _row = new();
        private readonly List<byte> _bytes = [];

        public override void Accept(in TextPiece piece)
        {
            if (!model._cutsAtWordMark)
            {
                AcceptWord(piece);
                return;
            }

            ReadOnlySpan<char> text = piece.Span;
            int start = 0;
            for (int i = 1; i < text.Length; i++)
            {
                if (text[i] == WordMark && text[i - 1] != WordMark)
                {
                    AcceptWord(piece.Slice(start, i));
                    start = i;
                }
            }

            AcceptWord(piece.Slice(start, text.Length));
        }

        protected override ReadOnlySpan<int> Tokenize(ReadOnlySpan<char> word)
        {
            model.Tokenize(word, _row, _bytes);
            return _row.Ids;
        }

        protected override void AddDetails(in TextPiece word, TokenOutput output)
        {
            List<int> origins = OriginsOfBytes(word, model._config.IsByteLevel);
            int at = 0;
            for (int i = 0; i < _row.Count; i++)
            {
                int id = _row.Ids[i];
                int end = Math.Min(at + _row.Lengths[i], origins.Count);
                output.Add(id, model._config.Vocabulary.Text(id)!, (Math.Max(origins[Math.Min(at, origins.Count - 1)], 0), origins[Math.Max(end - 1, 0)] + 1));
                at = end;
            }
        }

        /// <summary>For each byte of the word's spelling the code point that it comes from.</summary>
        private static List<int> OriginsOfBytes(in TextPiece piece, bool isByteLevel)
        {
            ReadOnlySpan<char> text = piece.Span;
            Span<byte> bytes = stackalloc byte[4];
            List<int> origins = new(text.Length);
            for (int i = 0; i < text.Length;)
            {
                Rune rune = new(CodePoints.At(text, i, out int units));
                int count = rune.EncodeToUtf8(bytes);
                if (isByteLevel)
                {
                    int spelled = 0;
                    foreach (byte b in bytes[..count])
                    {
                        spelled += ByteCharacters.Utf8Length(b);
                    }

                    count = spelled;
                }

                origins.AddRange(Enumerable.Repeat(piece.Origins![piece.Start + i], count));

                i += units;
            }

            return origins;
        }
    }
}
