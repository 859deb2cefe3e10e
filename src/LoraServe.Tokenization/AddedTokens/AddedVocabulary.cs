using LoraServe.Tokenization.Normalizers;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.AddedTokens;

/// <summary>All added tokens: those that are found in the text as it is, and those that are found in its normalized form.</summary>
internal sealed class AddedVocabulary
{
    private readonly Dictionary<int, AddedToken> _byId = [];
    private readonly Dictionary<string, AddedToken> _byContent = [];
    private readonly Dictionary<int, string> _decoded = [];
    private readonly AddedTokenSearch? _plain;
    private readonly AddedTokenSearch? _normalized;
    private readonly Normalizer? _normalizer;

    /// <summary>Takes the tokens over; empty ones are left out, since they would be found everywhere.</summary>
    public AddedVocabulary(List<AddedToken> tokens, Normalizer? normalizer)
    {
        _normalizer = normalizer;
        List<AddedToken> plain = [];
        List<AddedToken> normalized = [];
        foreach (AddedToken token in SpecialFirst(tokens))
        {
            _byId[token.Id] = token;
            _decoded[token.Id] = token.IsNormalized ? normalizer?.Normalize(token.Content) ?? token.Content : token.Content;
            _byContent.TryAdd(token.Content, token);
            Size = Math.Max(Size, token.Id + 1);
            (token.IsNormalized ? normalized : plain).Add(token);
        }

        _plain = plain.Count == 0 ? null : new AddedTokenSearch(plain, plain.ConvertAll(token => token.Content));
        _normalized = normalized.Count == 0 ? null : new AddedTokenSearch(normalized, normalized.ConvertAll(token => _decoded[token.Id]));
    }

    public AddedToken? this[int id] => _byId.GetValueOrDefault(id);

    /// <summary>One more than the largest id.</summary>
    public int Size { get; }

    public AddedToken? Find(string content) => _byContent.GetValueOrDefault(content);

    /// <summary>What a token is when ids are turned back into text: its text in the form in which it is searched for.</summary>
    public string? DecodedText(int id) => _decoded.GetValueOrDefault(id);

    /// <summary>Normalizes a text and hands on its parts in order: tokens with what they cover, and what lies between them.</summary>
    public void Cut(in TextPiece input, bool parseSpecialTokens, Action<AddedToken, TextPiece> acceptToken, IPieceSink text)
    {
        AddedTokenScan parts = new(_plain, input.Span, parseSpecialTokens);
        while (parts.MoveNext(out AddedToken? plain, out int start, out int end))
        {
            TextPiece part = input.Slice(start, end);
            if (plain is not null)
            {
                acceptToken(plain, part);
            }
            else
            {
                CutNormalized(_normalizer?.Normalize(part) ?? part, parseSpecialTokens, acceptToken, text);
            }
        }
    }

    /// <summary>Of equal texts special tokens count first, in their order.</summary>
    private static List<AddedToken> SpecialFirst(List<AddedToken> tokens)
    {
        List<AddedToken> ordered = tokens.FindAll(token => token.IsSpecial && token.Content.Length > 0);
        ordered.AddRange(tokens.FindAll(token => !token.IsSpecial && token.Content.Length > 0));
        return ordered;
    }

    private void CutNormalized(in TextPiece piece, bool parseSpecialTokens, Action<AddedToken, TextPiece> acceptToken, IPieceSink text)
    {
        AddedTokenScan parts = new(_normalized, piece.Span, parseSpecialTokens);
        while (parts.MoveNext(out AddedToken? token, out int start, out int end))
        {
            TextPiece part = piece.Slice(start, end);
            if (token is not null)
            {
                acceptToken(token, part);
            }
            else
            {
                text.Accept(part);
            }
        }
    }
}
