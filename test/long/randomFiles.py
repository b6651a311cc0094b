"""Random files written by Python's csv, json, gzip, bz2, lzma and zipfile and by pyarrow, with the documents that are in them.

    python randomFiles.py SEED COUNT FOLDER      writes the files and FOLDER/cases.json (pyarrow needed)
"""
import base64, bz2, csv, gzip, io, json, lzma, os, random, sys, zipfile
import pyarrow as pa
import pyarrow.parquet as pq

seed, wanted, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dice = random.Random(seed)
os.makedirs(folder, exist_ok=True)
cases = []
WORDS = ['the', 'naïve', '東京', '🦊', 'a,b', 'say "hi"', '"', '""', 'x;y', '|', '\\', 'NaN', 'null', '{', '5"', '\u2028', '\x0b', '\x1c', '\ufeff']
MARK = b'\xef\xbb\xbf'


def word():
    return dice.choice(WORDS) if dice.random() < .4 else ''.join(dice.choice('abcdefgh') for _ in range(dice.randint(1, 6)))


def line():
    return ' '.join(word() for _ in range(dice.randint(1, 7)))


def text():
    return '\n'.join(line() for _ in range(dice.randint(1, 4)))


def encoded(whole):
    return dice.choice([
        whole.encode(), whole.encode('utf-8-sig'), whole.encode('utf-16'), whole.encode('utf-32'),
        b'\xfe\xff' + whole.encode('utf-16-be'), b'\0\0\xfe\xff' + whole.encode('utf-32-be'),
    ])


def packed(data):
    """Several members of one kind of compression, cut anywhere, or none."""
    zstd = lambda piece: pa.Codec('zstd').compress(piece, asbytes=True)
    ending, pack = dice.choice([('', None), ('.gz', gzip.compress), ('.bz2', bz2.compress), ('.xz', lzma.compress), ('.zst', zstd)])
    if pack is None:
        return ending, data
    cuts = sorted(dice.randint(0, len(data)) for _ in range(dice.choice([0, 0, 1, 2])))
    borders = [0, *cuts, len(data)]
    return ending, b''.join(pack(data[a:b]) for a, b in zip(borders, borders[1:]))


def add(ending, data, documents, made, **settings):
    """`documents` as bytes; marks inside texts are taken out, empty texts are none."""
    documents = [document.replace(MARK, b'') for document in documents]
    documents = [document for document in documents if document]
    if not documents:
        return
    name = f'{len(cases):05d}{ending}'
    if dice.random() < .1:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, 'w', dice.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])) as file:
            file.writestr(name, data)
        name, data = name + '.zip', archive.getvalue()
    else:
        packing, data = packed(data)
        name += dice.choice([packing, packing.upper(), ''])
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(data)
    cases.append({'file': name, 'made': made, 'settings': settings, 'documents': [base64.b64encode(d).decode() for d in documents]})


def table():
    width = dice.randint(1, 5)
    column = dice.randrange(width)
    names = [f'c{i}' for i in range(width)]
    names[column] = dice.choice(['text', 'body', 'a.b', 'my text'])
    delimiter = dice.choice([',', ',', ';', '|'])
    rows = [[text() if i == column else line() for i in range(width)] for _ in range(dice.randint(1, 15))]
    out = io.StringIO()
    quoting = dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=dice.choice(['\n', '\r\n']))
    writer.writerow(names)
    writer.writerows(rows)
    settings = {'data.column': names[column], **({} if delimiter == ',' else {'data.delimiter': delimiter})}
    add('.csv', encoded(out.getvalue()), [row[column].encode() for row in rows], f'csv {delimiter} {quoting}', **settings)


def rows_of_json():
    path = dice.choice([['text'], ['meta', 'title'], ['a', 'b', 'c']])
    values = [text() if dice.random() < .9 else dice.choice(['', None, 'x\r\ny']) for _ in range(dice.randint(1, 15))]
    return path, values


def row(path, value):
    for name in reversed(path):
        value = {name: value}
    return {'id': dice.choice([1, float('nan'), float('-inf'), 'NaN', None]), **value, 'tags': [{'text': 'no'}]}


def json_file():
    path, values = rows_of_json()
    rows = [row(path, value) for value in values]
    plain = dice.random() < .5
    if dice.random() < .6:
        ending, whole = '.jsonl', dice.choice(['\n', '\r\n']).join(json.dumps(each, ensure_ascii=plain) for each in rows)
    else:
        ending, whole = '.json', json.dumps(rows, ensure_ascii=plain, indent=dice.choice([None, 1, 4]))
    add(ending, encoded(whole), [v.encode() for v in values if v], f'json {ending}', **{'data.column': '.'.join(path)})


def parquet():
    path, values = rows_of_json()
    kind = dice.choice(['string', 'large_string', 'binary', 'dictionary'])
    plain = {'large_string': pa.large_string(), 'binary': pa.binary()}.get(kind, pa.string())
    array = pa.array([v.encode() if kind == 'binary' and v is not None else v for v in values], plain)
    if kind == 'dictionary':
        array = array.dictionary_encode()
    for name in reversed(path[1:]):
        gone = pa.array([dice.random() < .1 for _ in values])
        array = pa.StructArray.from_arrays([array, pa.array(range(len(values)))], names=[name, 'n'], mask=gone)
    documents = []
    for value in array.to_pylist():
        for name in path[1:]:
            value = None if value is None else value[name]
        if value is not None:
            documents.append(value if isinstance(value, bytes) else value.encode())
    out = io.BytesIO()
    options = {
        'compression': dice.choice(['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd']),
        'use_dictionary': dice.random() < .5,
        'data_page_version': dice.choice(['1.0', '2.0']),
        'version': dice.choice(['1.0', '2.4', '2.6']),
        'row_group_size': dice.choice([1, 3, 100]),
        'data_page_size': dice.choice([20, 1_000_000]),
    }
    if not options['use_dictionary'] and kind != 'dictionary':
        options['column_encoding'] = {'.'.join(path): dice.choice(['PLAIN', 'DELTA_BYTE_ARRAY', 'DELTA_LENGTH_BYTE_ARRAY'])}
    pq.write_table(pa.table({'id': pa.array(range(len(values))), path[0]: array}), out, **options)
    add(dice.choice(['.parquet', '.PARQUET', '.bin', '']), out.getvalue(), documents, f'parquet {kind} {options}', **{'data.column': '.'.join(path)})


while len(cases) < wanted:
    dice.choice([table, json_file, parquet])()
with open(os.path.join(folder, 'cases.json'), 'w') as file:
    json.dump(cases, file)
